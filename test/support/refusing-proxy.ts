import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { noteRefused } from "./guard-process.ts";

/** A proxy that lets nothing through. */
export interface RefusingProxy {
  /** For the option of a program that sends all to it but what goes to this machine. */
  readonly url: string;
  readonly close: () => void;
}

/** Starts a proxy on loopback that notes what it is asked for, with the name of who asks, so that the test that runs fails. */
export async function startRefusingProxy(program: string): Promise<RefusingProxy> {
  const note = (target: string | undefined): void => noteRefused(`${target} (${program})`);
  const server = createServer(({ url }, response) => {
    note(url);
    response.writeHead(403).end();
  });
  server.on("connect", ({ url }, socket) => {
    note(url);
    socket.end("HTTP/1.1 403 Forbidden\r\n\r\n");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  server.unref();
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
