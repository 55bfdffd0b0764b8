/** SysRq on the guest's own console, where its character device takes input: for guests without a keyboard. */
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { consolesOf } from '../../core/host/consoles.js';
import type { SysrqKey } from '../../core/model.js';
import { type ConsoleInput, consoleInputOf } from '../../core/capture/console-input.js';
import { NoKeyboard } from './chord.js';
import { type QmpOptions, withQmp } from './with-qmp.js';

/** QEMU looks once a second whether somebody has opened its pty (QEMU chardev/char-pty.c). */
const PTY_SEEN_MS = 1_200;
const SOCKET_SEEN_MS = 50;
/** Between BREAK and key; the kernel waits 5 s for the key (include/linux/serial_core.h). */
const BREAK_MS = 50;
/** QEMU takes what was written in this time. */
const TAKEN_MS = 100;
const CONTROL_O = '\u000f';

/**
 * Sends BREAK or ^O, and the key. Whatever the console prints meanwhile is read and dropped, because a device that nobody
 * reads would stop the guest; its log has it.
 * @throws NoKeyboard, QmpError, or the reason of the signal
 */
export async function pressConsole(
  address: string,
  argv: readonly string[],
  key: SysrqKey,
  options: QmpOptions,
): Promise<void> {
  const answer = await withQmp(address, options, (session) => session.execute('query-chardev'));
  const input = consoleInputOf(consolesOf(argv), answer);
  if (typeof input === 'string') throw new NoKeyboard(input);
  const line = await openLine(input.to);
  try {
    if (input.how === 'break') {
      await withQmp(address, options, (session) =>
        session.execute('chardev-send-break', { id: input.label }),
      );
      await delay(BREAK_MS);
    }
    await line.write(input.how === 'break' ? key : `${CONTROL_O}${key}`);
    await delay(TAKEN_MS);
  } finally {
    await line.close();
  }
}

interface Line {
  write: (text: string) => Promise<void>;
  close: () => Promise<void>;
}

async function openLine(to: ConsoleInput['to']): Promise<Line> {
  try {
    return await ('pty' in to ? openPty(to.pty) : openSocket(to));
  } catch (error) {
    throw new NoKeyboard(
      `its console takes no keys: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

async function openPty(path: string): Promise<Line> {
  const file = await open(path, constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK);
  const end = new AbortController();
  const drained = (async () => {
    const buffer = Buffer.allocUnsafe(4_096);
    while (!end.signal.aborted) {
      // Without a terminal's reader there is nothing to wait for: EAGAIN.
      const { bytesRead } = await file.read(buffer, 0, buffer.length, null).catch(() => ({ bytesRead: 0 }));
      if (bytesRead === 0) await delay(5);
    }
  })();
  await delay(PTY_SEEN_MS);
  return {
    write: async (text) => {
      await file.write(text);
    },
    close: async () => {
      end.abort();
      await drained;
      await file.close();
    },
  };
}

async function openSocket(to: Exclude<ConsoleInput['to'], { pty: string }>): Promise<Line> {
  const socket = connect(to);
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', reject);
  });
  socket.on('error', () => undefined);
  socket.resume();
  await delay(SOCKET_SEEN_MS);
  return {
    write: (text) =>
      new Promise((resolve, reject) =>
        socket.write(text, (error) => (error instanceof Error ? reject(error) : resolve())),
      ),
    close: () => {
      socket.destroy();
      return Promise.resolve();
    },
  };
}
