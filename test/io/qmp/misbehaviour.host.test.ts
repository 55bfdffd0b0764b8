/** What a QEMU, or whatever is behind its socket, may do wrong: each row must end in time, and in the right words. */
import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import type { QmpFault } from '../../../src/core/model.js';
import { withQmp, type QmpSession } from '../../../src/io/qmp/with-qmp.js';
import { failure, serve, status } from '../../support/qmp-failure.js';
import { GREETING, polite, reply } from '../../support/qmp-server.js';

interface Row {
  does: string;
  serve: (client: Socket) => void;
  fault: QmpFault;
  /** In the message, behind the socket's path. */
  says: string;
  /** How many deadlines it may take; one more where a megabyte must be read on a busy host. */
  deadlines?: number;
  /** For an end that is not the deadline. */
  timeoutMs?: number;
  body?: (session: QmpSession) => Promise<unknown>;
}

/** Once qmp_capabilities is there, these bytes are the answer to it. */
const instead = (answer: string) => (client: Socket) => {
  client.write(GREETING);
  client.once('data', () => client.write(answer));
};
/** Speaks QMP until the first command, which it answers with these bytes. */
const answering = (answer: (id: number) => string) => polite(({ id }) => answer(id));
const sending = (bytes: string) => (client: Socket) => void client.write(bytes);

const MEGABYTE = 1 << 20;
const NO_QMP = 'a line that is no QMP message';
const ENDLESS = 'more than 2097152 bytes in one session';
const NEVER_SENT = 'a reply to a command that was never sent';
const ADVICE = 'that is not the QMP socket of a QEMU';
const noReply = 'no reply to query-status within 100 ms';
/** The deadline of a greeting that does not come, and then some. */
const HOLD_MAX_MS = 1_500;

/** Says one byte every 20 ms, for ever. */
function dripping(bytes: string) {
  return (client: Socket) => {
    let at = 0;
    const timer = setInterval(() => client.write(bytes.charAt(at++ % bytes.length)), 20);
    client.on('close', () => clearInterval(timer));
  };
}

/** Repeats a message as fast as it is read. */
function flooding(message: string, before: (client: Socket, start: () => void) => void) {
  return (client: Socket) => {
    const block = message.repeat(Math.ceil(65_536 / message.length));
    const more = () => {
      while (!client.destroyed && client.write(block));
    };
    client.on('drain', more);
    before(client, more);
  };
}

const afterCommand = (client: Socket, start: () => void) => {
  polite(() => (start(), ''))(client);
};

const ROWS: Row[] = [
  // Before the greeting.
  { does: 'never greets', serve: () => undefined, fault: 'no-greeting', says: 'no greeting within 100 ms' },
  {
    does: 'sends half a greeting',
    serve: sending(GREETING.slice(0, 30)),
    fault: 'no-greeting',
    says: 'no greeting',
  },
  {
    does: 'sends its greeting without a newline',
    serve: sending(GREETING.trimEnd()),
    fault: 'no-greeting',
    says: 'no greeting',
  },
  { does: 'drips blanks', serve: dripping(' '), fault: 'no-greeting', says: 'no greeting' },
  { does: 'drips empty lines', serve: dripping('\r\n'), fault: 'no-greeting', says: 'no greeting' },
  { does: 'drips its greeting', serve: dripping(GREETING), fault: 'no-greeting', says: 'no greeting' },
  {
    does: 'sends an event in place of a greeting',
    serve: sending('{"event": "STOP"}\n'),
    fault: 'no-greeting',
    says: 'no greeting',
  },
  {
    does: 'sends events for ever in place of a greeting',
    serve: flooding('{"event": "RESET"}\n', (_, start) => start()),
    fault: 'protocol',
    says: ENDLESS,
    timeoutMs: 1_500,
  },
  {
    does: 'replies in place of a greeting',
    serve: sending('{"return": {}, "id": 0}\n'),
    fault: 'protocol',
    says: NEVER_SENT,
  },
  {
    does: 'reports an error in place of a greeting',
    serve: sending('{"error": {"class": "GenericError", "desc": "x"}, "id": 0}\n'),
    fault: 'protocol',
    says: NEVER_SENT,
  },
  { does: 'hangs up before it greets', serve: (client) => client.end(), fault: 'closed', says: 'closed' },
  {
    does: 'resets the connection',
    serve: (client) => client.destroy(),
    fault: 'closed',
    says: 'clos',
  },
  { does: 'is a shell', serve: sending('hello\n'), fault: 'protocol', says: `${NO_QMP}: hello. ${ADVICE}` },
  { does: 'is an SSH server', serve: sending('SSH-2.0-OpenSSH_9.2\r\n'), fault: 'protocol', says: NO_QMP },
  { does: 'is a web server', serve: sending('HTTP/1.1 400 Bad\r\n\r\n'), fault: 'protocol', says: NO_QMP },
  { does: 'is the human monitor', serve: sending('QEMU 9.0.0 monitor\n'), fault: 'protocol', says: NO_QMP },
  {
    does: 'sends binary',
    serve: sending('\u0000\u0001\u001b[2J\n'),
    fault: 'protocol',
    says: NO_QMP,
  },
  { does: 'sends a list', serve: sending('[1, 2]\n'), fault: 'protocol', says: `${NO_QMP}: [1, 2]` },
  { does: 'sends a number', serve: sending('7\n'), fault: 'protocol', says: NO_QMP },
  { does: 'sends null', serve: sending('null\n'), fault: 'protocol', says: NO_QMP },
  { does: 'sends JSON cut off', serve: sending('{"return": \n'), fault: 'protocol', says: NO_QMP },
  { does: 'sends an unknown object', serve: sending('{"QMP": 7}\n'), fault: 'protocol', says: NO_QMP },
  {
    does: 'sends a megabyte without a newline in place of a greeting',
    serve: sending('{'.repeat(MEGABYTE + 1)),
    fault: 'protocol',
    says: 'a message longer than 1048576 bytes',
    deadlines: 3,
  },
  {
    does: 'sends a hundred thousand brackets',
    serve: sending(`${'['.repeat(100_000)}\n`),
    fault: 'protocol',
    says: NO_QMP,
  },
  // Behind the greeting.
  {
    does: 'greets and is silent',
    serve: sending(GREETING),
    fault: 'main-loop-stuck',
    says: 'qmp_capabilities',
  },
  {
    does: 'greets for ever',
    serve: flooding(GREETING, (_, start) => start()),
    fault: 'protocol',
    says: ENDLESS,
    timeoutMs: 1_500,
  },
  {
    does: 'refuses qmp_capabilities',
    serve: instead('{"id": 1, "error": {"class": "GenericError", "desc": "no"}}\n'),
    fault: 'refused',
    says: 'QEMU answered: GenericError: no',
  },
  {
    does: 'refuses it without a word',
    serve: instead('{"id": 1, "error": {}}\n'),
    fault: 'refused',
    says: 'GenericError',
  },
  {
    does: 'answers qmp_capabilities with half a line',
    serve: instead('{"return": {}, "i'),
    fault: 'main-loop-stuck',
    says: 'qmp_capabilities',
  },
  {
    does: 'hangs up after its greeting',
    serve: (client) => client.end(GREETING),
    fault: 'closed',
    says: 'QEMU hung up',
  },
  // In the middle of a session.
  { does: 'does not answer a command', serve: answering(() => ''), fault: 'timeout', says: noReply },
  {
    does: 'sends events for ever in place of an answer',
    serve: flooding('{"event": "RESET"}\n', afterCommand),
    fault: 'protocol',
    says: ENDLESS,
    timeoutMs: 1_500,
  },
  {
    does: 'hangs up in the middle of a reply',
    serve: polite(({ id }, client) => (client.end(reply(id).slice(0, 5)), '')),
    fault: 'closed',
    says: 'QEMU hung up',
  },
  {
    does: 'resets in the middle of a session',
    serve: polite((_, client) => (client.destroy(), '')),
    fault: 'closed',
    says: 'QEMU hung up',
  },
  {
    does: 'hangs up while the caller does something else',
    serve: polite((_, client) => (client.end(), '')),
    fault: 'closed',
    says: 'QEMU hung up',
    body: async (session) => {
      await session.execute('quit').catch(() => undefined);
      await new Promise(() => undefined);
    },
  },
  {
    does: 'answers with an error full of control characters',
    serve: answering((id) => `{"id": ${id}, "error": {"class": "GenericError", "desc": "a\\u001b[2Jb"}}\n`),
    fault: 'refused',
    says: 'GenericError: a [2Jb',
  },
  {
    does: 'answers with an error of a megabyte',
    serve: answering((id) => JSON.stringify({ id, error: { desc: 'x'.repeat(1_000_000) } }) + '\n'),
    fault: 'refused',
    says: 'GenericError: xxx',
    deadlines: 3,
  },
  ...['99', '-1', '0', '1.5', '"2"', 'null', '{"a": 1}', '1e999', '[[[]]]'].map((id): Row => ({
    does: `answers with the id ${id}`,
    serve: answering(() => `{"return": {}, "id": ${id}}\n`),
    fault: 'protocol',
    says: NEVER_SENT,
  })),
  {
    does: 'answers without an id',
    serve: answering(() => '{"return": {}}\n'),
    fault: 'protocol',
    says: NEVER_SENT,
  },
  {
    does: 'answers the last command once more',
    serve: answering(() => reply(1)),
    fault: 'timeout',
    says: noReply,
  },
  {
    does: 'sends garbage for a reply',
    serve: answering(() => '{"return": }\n'),
    fault: 'protocol',
    says: `${NO_QMP}: {"return": }`,
  },
  {
    does: 'sends more than a megabyte for a reply',
    serve: answering((id) => reply(id, 'x'.repeat(MEGABYTE))),
    fault: 'protocol',
    says: 'a message longer than 1048576 bytes',
    deadlines: 3,
  },
  {
    does: 'sends bytes for ever for a reply',
    serve: flooding('x', afterCommand),
    fault: 'protocol',
    says: 'a message longer than 1048576 bytes',
    deadlines: 4,
  },
];

it('knows at least forty ways', () => {
  expect(new Set(ROWS.map(({ does }) => does)).size).toBe(ROWS.length);
  expect(ROWS.length).toBeGreaterThanOrEqual(40);
});

describe('a QEMU that', () => {
  it.each(ROWS)('$does', async ({ serve: script, fault, says, deadlines = 1, body, timeoutMs }) => {
    const { path } = await serve(script);
    const error = await failure(path, fault, deadlines, body, timeoutMs);
    expect(error.message).toContain(says);
    // eslint-disable-next-line no-control-regex -- none may reach a terminal
    expect(error.message).not.toMatch(/[\u0000-\u001f\u007f]/);
    expect(error.message.length).toBeLessThan(700);
  });

  it('does any of this has its socket back soon, with the deadlines of every day and all at once', async () => {
    const servers = await Promise.all(ROWS.map(({ serve: script }) => serve(script)));
    await Promise.allSettled(
      servers.map(({ path }, nth) => withQmp(path, { timeoutMs: 1_000 }, ROWS[nth]?.body ?? status)),
    );
    await expect.poll(() => servers.filter(({ held }) => held.length === 0).length).toBe(0);
    const held = servers.flatMap((server) => server.held).sort((a, b) => a - b);
    expect(held[Math.floor(held.length * 0.95)]).toBeLessThan(HOLD_MAX_MS);
  });

  it('answers none of many commands, and is held for no longer than its ExecStop can wait', async () => {
    const { path } = await serve(polite(() => ''));
    const started = performance.now();
    const body = async (session: QmpSession) => {
      for (let i = 0; i < 10; i += 1) await session.execute('query-status').catch(() => undefined);
    };
    await expect(withQmp(path, { timeoutMs: 500 }, body)).rejects.toMatchObject({ fault: 'timeout' });
    expect(performance.now() - started).toBeGreaterThan(300);
    expect(performance.now() - started).toBeLessThan(500);
  });
});
