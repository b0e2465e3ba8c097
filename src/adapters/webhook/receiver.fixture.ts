import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** A request as a receiver got it. */
export interface Received {
  readonly method: string | undefined;
  readonly path: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** A webhook's receiver on loopback. */
export interface Receiver {
  readonly url: string;
  readonly port: number;
  /** Connections that were opened, used or not. */
  readonly connections: () => number;
  readonly received: readonly Received[];
  stop(): Promise<void>;
}

/** Answers each request as told, once its body is there; the first is 0. */
export type Respond = (response: ServerResponse, count: number) => void;

/** A receiver at 127.0.0.1, or another address of this machine. */
export async function startReceiver(
  respond: Respond = (response) => response.writeHead(204).end(),
  place: { readonly address?: string; readonly port?: number } = {},
): Promise<Receiver> {
  const received: Received[] = [];
  let connections = 0;
  const listener: RequestListener = (request, response) => {
    const take = (body: string): void => {
      const { method, url: path } = request;
      const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
      received.push({ method, path, headers, body });
      respond(response, received.length - 1);
    };
    // A sender that goes away in the middle has sent nothing.
    readBody(request).then(take, () => response.destroy());
  };
  const server = createServer(listener);
  server.on("connection", () => {
    connections++;
  });
  const { address = "127.0.0.1", port: wanted = 0 } = place;
  await new Promise<void>((settle, fail) => {
    server.on("error", fail);
    server.listen(wanted, address, settle);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://${address}:${port}/hook`,
    port,
    connections: () => connections,
    received,
    stop: () =>
      new Promise((settle) => {
        server.close(() => settle());
        server.closeAllConnections();
      }),
  };
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}
