/** Other users of this host: what they start and what they put where they may write is not believed, nor followed. */
import { spawn } from 'node:child_process';
import {
  appendFile,
  chmod,
  chown,
  lchown,
  link,
  mkdir,
  readFile,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { DumpFile } from '../../src/daemon/dump-file.js';
import { serveControl } from '../../src/daemon/control.js';
import { AppendFile } from '../../src/io/archive/append-file.js';
import { makeIncidentsDirectory } from '../../src/io/archive/directory.js';
import { finishPartials } from '../../src/io/archive/finish.js';
import { openIncident } from '../../src/io/archive/writer.js';
import { loadPosition } from '../../src/io/cursor.js';
import { openPrivate, ownDirectory, putFile } from '../../src/io/files.js';
import { findServers } from '../../src/io/find-servers.js';
import { look } from '../../src/io/look.js';
import { findQemu } from '../../src/io/qemu-process.js';
import { finish, incident, rawRow, STARTED_AT_MS } from '../fixtures/archive-sample.js';
import { scratch } from '../support/qmp-failure.js';
import { temporaryDirectory } from '../support/temporary.js';

const NEIGHBOUR = 65_534;
const SECRET = 'ssh-ed25519 AAAA me@home\n';

/** A process of a user with any name and arguments; a shell takes what it does not know as its own arguments. */
async function start(name: string, args: string[], uid: number): Promise<number> {
  const script = 'echo ready; while :; do sleep 60; done';
  const child = spawn('/bin/sh', ['-c', script, ...args], {
    argv0: name,
    uid,
    cwd: '/',
    detached: true,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const { pid = 0 } = child;
  onTestFinished(() => void process.kill(-pid, 'SIGKILL'));
  await new Promise((resolve) => child.stdout.once('data', resolve));
  return pid;
}

const soon = () => AbortSignal.timeout(5_000);

describe('a process of another user', () => {
  it('is no guest’s QEMU, whatever its command line says, unless it made the socket', async () => {
    const qmpSocket = join(await scratch(), 'qmp.sock');
    const args = ['-qmp', `unix:${qmpSocket},server=on`, '-serial', 'file:/etc/shadow'];
    const theirs = await start('qemu-system-x86_64', args, NEIGHBOUR);
    const find = (pid: number | null) => findQemu({ qmpSocket, pid, writer: pid }, soon());
    expect(await find(null)).toBeNull();
    expect(await find(theirs)).toBeNull();
    await writeFile(qmpSocket, '');
    await chown(qmpSocket, NEIGHBOUR, NEIGHBOUR);
    expect(await find(null)).toMatchObject({ pid: theirs });
    // Even then its word opens no file to it that only this user may read.
    const seen = await look({ qmpSocket, pid: theirs }, { timeoutMs: 1_000 });
    expect(seen.qemu).toMatchObject({ pid: theirs });
    expect(seen).not.toHaveProperty('consoleFile');
    const ours = await start('qemu-system-x86_64', args, 0);
    expect(await look({ qmpSocket, pid: ours }, { timeoutMs: 1_000 })).toMatchObject({
      qemu: { pid: ours },
      consoleFile: '/etc/shadow',
    });
  });

  it('serves no share by its command line', async () => {
    const socket = join(await scratch(), 'virtiofsd.sock');
    const argv = [
      'qemu-system-x86_64',
      ...[
        '-chardev',
        `socket,id=c,path=${socket},server=on`,
        '-device',
        'vhost-user-fs-pci,chardev=c,tag=store',
      ],
    ];
    const shares = () => findServers({ pid: process.pid, argv }, () => Promise.resolve(true), soon());
    await start('virtiofsd', [`--socket-path=${socket}`], NEIGHBOUR);
    expect(await shares()).toMatchObject([{ tag: 'store', server: null, serverIs: 'unknown' }]);
    const ours = await start('virtiofsd', [`--socket-path=${socket}`], 0);
    expect(await shares()).toMatchObject([{ tag: 'store', server: { pid: ours }, serverIs: 'running' }]);
  });
});

describe('the console file that QEMU names', () => {
  it('is read only if it is this user’s, and no link of another', async () => {
    const directory = await temporaryDirectory();
    const path = join(directory, 'console');
    const secret = join(directory, 'secret');
    await writeFile(secret, 'one\ntwo\n');
    const lost: string[] = [];
    const open = async () => {
      const file = await DumpFile.open(path, {
        onRows: () => undefined,
        onLost: (why) => void lost.push(why),
      });
      file?.close();
      return (
        file?.context.flatMap(({ bytes }) => Buffer.from(bytes).toString().trimEnd().split('\n')) ?? null
      );
    };
    await symlink(secret, path);
    expect(await open()).toEqual(['one', 'two']);
    await lchown(path, NEIGHBOUR, NEIGHBOUR);
    expect(await open()).toBeNull();
    expect(lost.at(-1)).toBe(`${path} belongs to another user. Fix: let QEMU make it itself`);
    await lchown(path, 0, 0);
    await chown(secret, NEIGHBOUR, NEIGHBOUR);
    expect(await open()).toBeNull();
  });
});

describe('a directory that another user prepared', () => {
  it('is no archive, and neither is one that such a link leads to', async () => {
    const parent = await temporaryDirectory();
    const root = join(parent, 'archive');
    const open = () => openIncident(root, { vm: 'vm', startedAtMs: STARTED_AT_MS });
    const theirs = /belongs to another user \(uid 65534\), who could put links into it\. Fix: /;
    await mkdir(join(root, 'incidents'), { recursive: true });
    await chown(root, NEIGHBOUR, NEIGHBOUR);
    await expect(open()).rejects.toThrow(theirs);
    await chown(root, 0, 0);
    await chown(join(root, 'incidents'), NEIGHBOUR, NEIGHBOUR);
    await expect(open()).rejects.toThrow(theirs);
    await symlink(parent, join(parent, 'link'));
    await lchown(join(parent, 'link'), NEIGHBOUR, NEIGHBOUR);
    await expect(makeIncidentsDirectory(join(parent, 'link'))).rejects.toThrow(theirs);
    await symlink(join(root, 'incidents'), join(parent, 'own-link'));
    await expect(makeIncidentsDirectory(join(parent, 'own-link'))).rejects.toThrow(theirs);
  });

  it('holds no control socket', async () => {
    const runtime = await temporaryDirectory();
    await mkdir(join(runtime, 'wedgewatch'));
    await chown(join(runtime, 'wedgewatch'), NEIGHBOUR, NEIGHBOUR);
    const handlers = {
      status: () => Promise.reject(new Error()),
      capture: () => Promise.reject(new Error()),
    };
    await expect(
      serveControl(join(runtime, 'wedgewatch/control.sock'), handlers as never, () => undefined),
    ).rejects.toThrow(/wedgewatch: it belongs to another user/);
  });

  it('is closed to others where it is this user’s, but for one like /tmp', async () => {
    const path = await temporaryDirectory();
    const mode = async () => ((await stat(path)).mode & 0o7777).toString(8);
    await chmod(path, 0o777);
    await ownDirectory(path);
    expect(await mode()).toBe('755');
    await chmod(path, 0o1777);
    await ownDirectory(path);
    expect(await mode()).toBe('1777');
  });

  it('is no capture that was cut short: its link leads nowhere', async () => {
    const root = await temporaryDirectory();
    const secret = join(root, 'authorized_keys');
    await writeFile(secret, SECRET);
    const partial = join(root, 'incidents', `${incident().id}.999999999-1.partial`);
    await mkdir(partial, { recursive: true });
    await symlink(secret, join(partial, 'console.raw'));
    await symlink(secret, join(partial, 'verdict.txt.new'));
    await chown(partial, NEIGHBOUR, NEIGHBOUR);
    const { failed, finished, removed } = await finishPartials(root, finish);
    expect([finished, removed]).toEqual([[], []]);
    expect(failed).toEqual([{ path: partial, why: 'it is not a directory of this user' }]);
    expect(await readFile(secret, 'utf8')).toBe(SECRET);
  });
});

describe('a link in place of a file', () => {
  it.each([
    ['a symbolic one', symlink, /symbolic link/],
    ['a hard one', link, /hard link/],
  ] as const)('is not written through: %s', async (_kind, make, why) => {
    const directory = await temporaryDirectory();
    const secret = join(directory, 'authorized_keys');
    await writeFile(secret, SECRET, { mode: 0o644 });
    await make(secret, join(directory, 'console.raw'));
    const file = new AppendFile(join(directory, 'console.raw'));
    await file.append(rawRow(0));
    expect(await file.close()).toMatch(why);
    await expect(openPrivate(join(directory, 'console.raw'), 'new')).rejects.toThrow('EEXIST');
    // A whole file is put in its place: the link goes, and what it led to stays.
    await make(secret, join(directory, 'verdict.txt.new'));
    await make(secret, join(directory, 'verdict.txt'));
    await putFile(join(directory, 'verdict.txt'), 'verdict\n');
    expect(await readFile(join(directory, 'verdict.txt'), 'utf8')).toBe('verdict\n');
    expect(await readFile(secret, 'utf8')).toBe(SECRET);
    expect((await stat(secret)).mode & 0o777).toBe(0o644);
  });

  it('is not read as the state of this daemon', async () => {
    const directory = await temporaryDirectory();
    const file = join(directory, 'journal-position.json');
    await writeFile(file, JSON.stringify({ cursor: 's=1', realtimeMs: 1 }));
    expect((await loadPosition(directory)).position).toEqual({ cursor: 's=1', realtimeMs: 1 });
    await appendFile(file, '\n');
    await chown(file, NEIGHBOUR, NEIGHBOUR);
    expect(await loadPosition(directory)).toMatchObject({
      position: null,
      warning: expect.stringContaining('belongs to another user') as string,
    });
  });
});
