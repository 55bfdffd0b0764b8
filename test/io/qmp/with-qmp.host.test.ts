import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { pressChord } from '../../../src/io/qmp/chord.js';
import { withQmp } from '../../../src/io/qmp/with-qmp.js';
import { serve, status, TIMEOUT_MS } from '../../support/qmp-failure.js';
import { polite, reply } from '../../support/qmp-server.js';

describe('a well-behaved QEMU', () => {
  it('answers, and is left alone at once', async () => {
    const server = await serve(polite(({ id }) => reply(id, { status: 'running' })));
    expect(await withQmp(server.path, { timeoutMs: 1000 }, status)).toEqual({ status: 'running' });
    const [client] = server.clients;
    if (client?.destroyed === false) await once(client, 'close');
  });

  it('is told Alt, SysRq and the key', async () => {
    const commands: unknown[] = [];
    const { path } = await serve(polite((command) => (commands.push(command), reply(command.id))));
    await pressChord(path, 'w', { timeoutMs: 1000 });
    const keys = ['alt', 'sysrq', 'w'].map((data) => ({ type: 'qcode', data }));
    expect(commands).toEqual([
      { execute: 'send-key', arguments: { keys, 'hold-time': 10 }, id: expect.any(Number) as number },
    ]);
  });

  it('may send a byte at a time', async () => {
    const { path } = await serve(
      polite(({ id }, client) => {
        const bytes = Array.from(Buffer.from(reply(id, { status: 'paused' })));
        const next = () => {
          const byte = bytes.shift();
          if (byte !== undefined) client.write(Uint8Array.of(byte), () => setImmediate(next));
        };
        next();
        return '';
      }),
    );
    expect(await withQmp(path, { timeoutMs: 1000 }, status)).toEqual({ status: 'paused' });
  });

  it('may send events between and before replies', async () => {
    const event = (name: string) => `{"event": "${name}", "data": {}}\r\n`;
    const { path } = await serve(polite(({ id }) => event('STOP') + event('RESUME') + reply(id, 1)));
    const [value, names] = await withQmp(path, { timeoutMs: 1000 }, async (session) => [
      await status(session),
      session.events.map(({ name }) => name),
    ]);
    expect(value).toBe(1);
    expect(names).toEqual(['STOP', 'RESUME']);
  });

  it('may send a great many events, of which a thousand are kept', async () => {
    const { path } = await serve(polite(({ id }) => '{"event": "RESET"}\r\n'.repeat(5000) + reply(id)));
    const kept = await withQmp(path, { timeoutMs: 1000 }, async (session) => {
      await status(session);
      return session.events.length;
    });
    expect(kept).toBe(1000);
  });

  it('may answer several commands in another order', async () => {
    const held: number[] = [];
    const { path } = await serve(
      polite(({ id }) =>
        held.push(id) < 2
          ? ''
          : held
              .reverse()
              .map((one) => reply(one, one))
              .join(''),
      ),
    );
    const both = await withQmp(path, { timeoutMs: 1000 }, (session) =>
      Promise.all([session.execute('a'), session.execute('b')]),
    );
    expect(both).toEqual([...held].reverse());
  });

  it('may send most of a megabyte', async () => {
    const { path } = await serve(polite(({ id }) => reply(id, 'x'.repeat(1_000_000))));
    expect(await withQmp(path, { timeoutMs: 2000 }, status)).toHaveLength(1_000_000);
  });

  it('may answer too late: that command fails, the next one does not', async () => {
    let late = 0;
    const { path } = await serve(
      polite(({ execute, id }) => {
        if (execute === 'slow') late = id;
        return execute === 'slow' ? '' : reply(late) + reply(id, 'next');
      }),
    );
    const value = await withQmp(path, { timeoutMs: TIMEOUT_MS }, async (session) => {
      await expect(session.execute('slow')).rejects.toMatchObject({ fault: 'timeout' });
      return session.execute('fast');
    });
    expect(value).toBe('next');
  });
});

describe('a caller', () => {
  it('that gives up gets its own reason, at once', async () => {
    const { path } = await serve(polite(() => ''));
    const giveUp = new AbortController();
    const reason = new Error('stopping');
    const session = withQmp(path, { timeoutMs: 1500, signal: giveUp.signal }, async (qmp) => {
      setImmediate(() => giveUp.abort(reason));
      return status(qmp);
    });
    await expect(session).rejects.toBe(reason);
  });

  it('that gave up before does not connect', async () => {
    const { path, clients } = await serve(() => undefined);
    const signal = AbortSignal.abort(new Error('stopping'));
    await expect(withQmp(path, { timeoutMs: 100, signal }, status)).rejects.toThrow('stopping');
    expect(clients).toEqual([]);
  });

  it('that throws gets its own error, and the socket is left', async () => {
    const { path, clients } = await serve(polite(() => ''));
    const mine = new Error('mine');
    await expect(withQmp(path, { timeoutMs: 100 }, () => Promise.reject(mine))).rejects.toBe(mine);
    const [socket] = clients;
    if (socket?.destroyed === false) await once(socket, 'close');
  });
});
