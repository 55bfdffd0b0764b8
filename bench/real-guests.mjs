/** What benchmarks on real guests share. */
import { execFileSync } from 'node:child_process';
import { readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { execa } from 'execa';
import { parseConfig } from '../dist/core/config/parse-config.js';
import { Daemon } from '../dist/daemon/daemon.js';
import { runtimeDirectory } from '../dist/io/paths.js';

/** Mounts the disk of `makeDisk` on /mnt/disk, in a guest of wedgeRecipe(). */
export const mountDisk = '. /wedges/common.sh; mount_disk';

/** An empty ext4 at that path; returns QEMU's arguments for it. */
export function makeDisk(path) {
  writeFileSync(path, '');
  truncateSync(path, 64 << 20);
  execFileSync('/sbin/mke2fs', ['-q', '-t', 'ext4', '-F', path]);
  const drive = `if=none,id=disk,file=${path},format=raw,cache=unsafe`;
  return ['-drive', drive, '-device', 'virtio-blk-pci,drive=disk'];
}

/** Runs a shell command in the guest, over SSH. */
export async function inGuest(guest, command, timeout = 20_000) {
  await execa('ssh', ['-F', guest.sshConfigFile, guest.sshHost, command], { timeout });
}

/** Gives a guest's QEMU one QMP command; returns its answer. */
export function qmp(guest, command, args = {}) {
  return new Promise((resolve, reject) => {
    const socket = connect(guest.qmpSocket).on('error', reject);
    const say = (execute, values = {}) => socket.write(`${JSON.stringify({ execute, arguments: values })}\n`);
    let step = 0;
    // QEMU may be killed once it has answered, before it has read the end.
    const lines = createInterface({ input: socket }).on('error', reject);
    lines.on('line', (line) => {
      const message = JSON.parse(line);
      if (message.QMP !== undefined) say('qmp_capabilities');
      else if (message.return !== undefined && (step += 1) === 1) say(command, args);
      else if (message.return !== undefined || message.error !== undefined) {
        socket.end();
        resolve(message);
      }
    });
  });
}

/** A daemon over guests of `startGuest`, which keeps its archive in that directory. `config`: more of its configuration. */
export function daemonOver(guests, place, { config = {}, ...more }) {
  const configFile = join(place, 'ssh_config');
  writeFileSync(configFile, guests.map((guest) => readFileSync(guest.sshConfigFile, 'utf8')).join(''));
  const entries = guests.map((guest) => ({
    name: guest.vm,
    ...(guest.unit && { unit: guest.unit }),
    ...{ qmp: guest.qmpSocket, console: guest.console, ssh: guest.sshHost },
  }));
  const discover = { enabled: false, directory: guests[0].qmpDirectory };
  const parsed = parseConfig(
    JSON.stringify({ ...config, ssh: { configFile }, discover, guests: entries }),
    'bench',
  );
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return new Daemon({
    config: parsed.config,
    state: join(place, 'state'),
    runtime: runtimeDirectory(),
    ...more,
  });
}
