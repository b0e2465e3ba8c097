import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { FUNCTIONS } from "../../src/apps/lambda/functions.ts";
import type { World } from "../../src/apps/lambda/open.ts";

/** What API Gateway is to a function: HTTP on one side, events on the other. */
export interface Bridge {
  readonly url: string;
  stop(): Promise<void>;
}

interface Answer {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly cookies: readonly string[];
  readonly body: string;
}

/** Serves the function `api` on a port of loopback: each request becomes an event of an HTTP API, payload format 2.0. */
export async function startBridge(world: World): Promise<Bridge> {
  const handle = await FUNCTIONS["api"]?.(world);
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const { cookie, ...headers } = request.headers;
    const [rawPath = "/", rawQueryString = ""] = (request.url ?? "/").split("?");
    const event = {
      ...{ version: "2.0", rawPath, rawQueryString, isBase64Encoded: true },
      headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value].flat().join(",")])),
      ...(cookie === undefined ? {} : { cookies: cookie.split("; ") }),
      body: Buffer.concat(chunks).toString("base64"),
      requestContext: { http: { method: request.method, sourceIp: "127.0.0.1" } },
    };
    const answer = (await handle?.(event, {
      signal: new AbortController().signal,
      deadlineMs: Number.POSITIVE_INFINITY,
    })) as Answer;
    for (const [name, value] of Object.entries(answer.headers)) response.setHeader(name, value);
    if (answer.cookies.length > 0) response.setHeader("set-cookie", answer.cookies);
    const body = Buffer.from(answer.body, "base64");
    response.writeHead(answer.statusCode, { "content-length": body.length }).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
