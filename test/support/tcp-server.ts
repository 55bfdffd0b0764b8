/** A TCP server on a free port of the loopback, closed with its clients when the test ends. */
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

export async function tcpServer(
  script: (client: Socket) => void,
): Promise<{ port: number; clients: Socket[] }> {
  const clients: Socket[] = [];
  const server = createServer((client) => {
    clients.push(client.on('error', () => undefined));
    script(client);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    clients.forEach((client) => client.destroy());
    server.close();
  });
  return { port: (server.address() as { port: number }).port, clients };
}
