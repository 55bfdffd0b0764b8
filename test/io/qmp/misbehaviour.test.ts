import { describe, expect, it } from 'vitest';
import { withQmp, type QmpSession } from '../../../src/io/qmp/with-qmp.js';
import { failure, serve } from '../../support/qmp-failure.js';
import { GREETING, polite, reply } from '../../support/qmp-server.js';

describe('a QEMU that misbehaves', () => {
  it('never greets', async () => {
    const { path } = await serve(() => undefined);
    await failure(path, 'no-greeting');
  });

  it('sends half a greeting', async () => {
    const { path } = await serve((client) => client.write(GREETING.slice(0, 30)));
    await failure(path, 'no-greeting');
  });

  it('sends events in place of a greeting', async () => {
    const { path } = await serve((client) => client.write('{"event": "STOP"}\n'));
    await failure(path, 'no-greeting');
  });

  it('replies in place of a greeting', async () => {
    const { path } = await serve((client) => client.write('{"return": {}, "id": 0}\n'));
    await failure(path, 'protocol');
  });

  it('greets and is silent', async () => {
    const { path } = await serve((client) => client.write(GREETING));
    const error = await failure(path, 'main-loop-stuck');
    expect(error.sent).toContain('qmp_capabilities');
  });

  it('refuses qmp_capabilities', async () => {
    const { path } = await serve((client) => {
      client.write(GREETING);
      client.once('data', () =>
        client.write('{"id": 1, "error": {"class": "GenericError", "desc": "no"}}\n'),
      );
    });
    expect((await failure(path, 'refused')).received).toBe('GenericError: no');
  });

  it('does not answer a command', async () => {
    const { path } = await serve(polite(() => ''));
    const error = await failure(path, 'timeout');
    expect(error.sent).toContain('query-status');
    expect(error.message).toContain('no reply to query-status within 100 ms');
  });

  it('does not answer many commands, and is not held for longer than two seconds', async () => {
    const { path } = await serve(polite(() => ''));
    const started = performance.now();
    const body = async (session: QmpSession) => {
      for (let i = 0; i < 10; i += 1) await session.execute('query-status').catch(() => undefined);
    };
    await expect(withQmp(path, { timeoutMs: 500 }, body)).rejects.toMatchObject({ fault: 'timeout' });
    expect(performance.now() - started).toBeGreaterThan(1500);
    expect(performance.now() - started).toBeLessThan(2300);
  });

  it('answers with an error, of which no control character is passed on', async () => {
    const { path } = await serve(
      polite(({ id }) => `{"id": ${id}, "error": {"class": "GenericError", "desc": "a\\u001b[2Jb"}}\n`),
    );
    const error = await failure(path, 'refused');
    expect(error.received).toBe('GenericError: a [2Jb');
    expect(error.sent).toContain('query-status');
  });

  it.each([99, -1, 0, 1.5, '"2"', 'null', '{"a": 1}'])('answers with the id %s', async (id) => {
    const { path } = await serve(polite(() => `{"return": {}, "id": ${id}}\n`));
    await failure(path, 'protocol');
  });

  it('answers without an id', async () => {
    const { path } = await serve(polite(() => '{"return": {}}\n'));
    await failure(path, 'protocol');
  });

  it.each(['hello\n', 'SSH-2.0-OpenSSH_9.2\r\n', '\u0000\u0001\n', '[1, 2]\n', '{"return": \n'])(
    'sends garbage: %j',
    async (garbage) => {
      const { path } = await serve((client) => client.write(garbage));
      await failure(path, 'protocol');
    },
  );

  it('sends garbage for a reply', async () => {
    const { path } = await serve(polite(() => '{"return": }\n'));
    await failure(path, 'protocol');
  });

  it('sends more than a megabyte without a newline', async () => {
    const { path } = await serve(polite(({ id }) => reply(id, 'x'.repeat(1 << 20))));
    await failure(path, 'protocol', 3);
  });

  it('hangs up before it greets', async () => {
    const { path } = await serve((client) => client.end());
    await failure(path, 'closed');
  });

  it('hangs up after its greeting', async () => {
    const { path } = await serve((client) => client.end(GREETING));
    await failure(path, 'closed');
  });

  it('hangs up in the middle of a reply', async () => {
    const { path } = await serve(polite(({ id }, client) => (client.end(reply(id).slice(0, 5)), '')));
    await failure(path, 'closed');
  });

  it('hangs up while the body does something else', async () => {
    const { path } = await serve(polite((_, client) => (client.end(), '')));
    await failure(path, 'closed', 1, async (session) => {
      await session.execute('quit').catch(() => undefined);
      await new Promise(() => undefined);
    });
  });
});
