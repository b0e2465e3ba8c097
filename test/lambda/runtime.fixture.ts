import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { expect } from "vitest";
import { ROOT } from "../support/documentation.ts";

/** What a function told Lambda. */
export interface Told {
  readonly path: string;
  readonly body: unknown;
}

/** Lambda's side of its Runtime API: hands out the events given, then none any more, and hears what is told. */
async function startLambda(events: readonly unknown[]): Promise<{ server: Server; told: Told[] }> {
  const told: Told[] = [];
  let given = 0;
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (request.method === "GET") {
      // The last question is left open, as while nobody calls.
      if (given === events.length) return;
      const headers = {
        "lambda-runtime-aws-request-id": `request-${given}`,
        "lambda-runtime-deadline-ms": String(Date.now() + 60_000),
      };
      response.writeHead(200, headers).end(JSON.stringify(events[given++]));
      return;
    }
    let body = "";
    for await (const piece of request) body += String(piece);
    told.push({ path: request.url ?? "", body: JSON.parse(body) });
    response.writeHead(202).end();
  };
  const server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { server, told };
}

/** The functions' program, from the sources. */
const SOURCES = [process.execPath, join(ROOT, "src/apps/lambda/main.ts")] as const;

/**
 * Starts the function as Lambda does, gives it the events, and gives back what it told, in order. `environment` has what the function needs; `program`
 * is what the function's name is put behind.
 */
export async function runFunction(
  name: string,
  events: readonly unknown[],
  environment: Readonly<Record<string, string>>,
  program: readonly [string, ...string[]] = SOURCES,
): Promise<readonly Told[]> {
  const { server, told } = await startLambda(events);
  const { PATH, NODE_COMPILE_CACHE, NODE_OPTIONS } = process.env;
  const [command, ...args] = program;
  const child = spawn(command, [...args, name], {
    env: {
      ...{ PATH, NODE_COMPILE_CACHE, NODE_OPTIONS },
      AWS_LAMBDA_RUNTIME_API: `127.0.0.1:${(server.address() as AddressInfo).port}`,
      AWS_ACCESS_KEY_ID: "test",
      AWS_SECRET_ACCESS_KEY: "test",
      ...environment,
    },
    stdio: "ignore",
  });
  const ended = once(child, "exit");
  await Promise.race([ended, expect.poll(() => told.length).toBeGreaterThanOrEqual(Math.max(1, events.length))]);
  child.kill();
  await ended;
  server.closeAllConnections();
  server.close();
  return told;
}
