import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

export const GREETING =
  '{"QMP": {"version": {"qemu": {"micro": 0, "minor": 0, "major": 9}, "package": ""}, "capabilities": []}}\r\n';

interface Command {
  execute: string;
  arguments?: unknown;
  id: number;
}

/** A QMP server on a real socket that does what a test scripts for each client. */
export class QmpServer {
  /** Clients in the order of their coming. */
  readonly clients: Socket[] = [];
  /** How long each client that has left held the socket, in ms. */
  readonly held: number[] = [];

  private constructor(
    readonly path: string,
    private readonly directory: string,
    private readonly server: Server,
  ) {}

  static async start(serve: (client: Socket, nth: number) => void): Promise<QmpServer> {
    const directory = await mkdtemp(join(tmpdir(), 'qmp-'));
    const path = join(directory, 'qmp.sock');
    const server = createServer((client) => {
      started.clients.push(client);
      const from = performance.now();
      client.on('close', () => started.held.push(performance.now() - from));
      client.on('error', () => undefined);
      serve(client, started.clients.length);
      // Who does not read does not see that the client hangs up.
      client.resume();
    });
    const started = new QmpServer(path, directory, server);
    server.listen(path);
    await once(server, 'listening');
    return started;
  }

  async stop(): Promise<void> {
    this.clients.forEach((client) => client.destroy());
    this.server.close();
    await rm(this.directory, { recursive: true, force: true });
  }
}

export const reply = (id: unknown, value: unknown = {}) => `${JSON.stringify({ return: value, id })}\r\n`;

/** Greets, takes qmp_capabilities, and hands each further command to `answer`, which returns the bytes to send. */
export function polite(answer: (command: Command, client: Socket) => string) {
  return (client: Socket) => {
    client.write(GREETING);
    const lines = createInterface({ input: client });
    // It passes on the errors of its input.
    lines.on('error', () => undefined);
    lines.on('line', (line) => {
      const command = JSON.parse(line) as Command;
      const text = command.execute === 'qmp_capabilities' ? reply(command.id) : answer(command, client);
      if (text !== '') client.write(text);
    });
  };
}
