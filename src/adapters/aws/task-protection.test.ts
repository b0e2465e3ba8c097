import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { Logger } from "../../base/log.ts";
import { createTaskProtection, type TaskProtection } from "./task-protection.ts";

let server: Server;
let asked: string[];
let warnings: unknown[];
let answer: (isEnabled: boolean) => readonly [status: number, body: object];

beforeEach(async () => {
  asked = [];
  warnings = [];
  answer = (ProtectionEnabled) => [200, { protection: { ProtectionEnabled, TaskArn: "arn:aws:ecs:x:1:task/c/1" } }];
  server = createServer(async (request, response) => {
    let body = "";
    for await (const piece of request) body += String(piece);
    asked.push(`${request.method} ${request.url} ${body}`);
    const [status, text] = answer(body.includes("true"));
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(text));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const none = (): void => undefined;
const log: Logger = {
  debug: none,
  info: none,
  error: none,
  warn: (_, fields) => warnings.push(fields),
  child: () => log,
};

function create(renewMs?: number): TaskProtection {
  const agentUri = `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/1`;
  return createTaskProtection({ agentUri, log, ...(renewMs === undefined ? {} : { renewMs }) });
}

const ON = 'PUT /api/1/task-protection/v1/state {"ProtectionEnabled":true,"ExpiresInMinutes":60}';
const OFF = 'PUT /api/1/task-protection/v1/state {"ProtectionEnabled":false}';

it("asks for protection from the first task on, and lets go with the last one", async () => {
  const protection = create();
  for (const isBusy of [false, true, true, false, false, true]) protection.setBusy(isBusy);
  await protection.close();
  expect(asked).toEqual([ON, OFF, ON, OFF]);
  expect(warnings).toEqual([]);
});

it("prolongs it while there is work, and no longer", async () => {
  const protection = create(20);
  protection.setBusy(true);
  await vi.waitFor(() => expect(asked.length).toBeGreaterThan(3));
  await protection.close();
  const count = asked.length;
  await new Promise((resolve) => setTimeout(resolve, 60));
  expect(asked.slice(count)).toEqual([]);
  expect(asked.at(-1)).toBe(OFF);
});

it("goes on where it is refused, with the reason in the log", async () => {
  answer = () => [200, { failure: { Reason: "DEPLOYMENT_BLOCKED" } }];
  const protection = create();
  protection.setBusy(true);
  answer = (isEnabled) => (isEnabled ? [200, { failure: { Reason: "DEPLOYMENT_BLOCKED" } }] : [500, { error: "x" }]);
  await protection.close();
  expect(JSON.stringify(warnings.map((fields) => String((fields as { readonly error: Error }).error)))).toMatch(
    /200:.*DEPLOYMENT_BLOCKED.*500:/,
  );
});
