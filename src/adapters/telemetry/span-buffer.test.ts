import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setImmediate } from "node:timers/promises";
import { afterEach, beforeEach, expect, it } from "vitest";
import { createFakeClock } from "../../../test/support/fake-clock.ts";
import { startCollector } from "../../../test/telemetry/collector.fixture.ts";
import { createLogger } from "../../base/log.ts";
import type { RequestSigner } from "./collector.ts";
import { createSpanBuffer, type EndedSpan } from "./span-buffer.ts";

let collector: Awaited<ReturnType<typeof startCollector>>;
let lines: string[];
let reasons: string[];

beforeEach(async () => {
  collector = await startCollector();
  lines = [];
  reasons = [];
});
afterEach(() => collector.close());

function span(name: string): EndedSpan {
  const ids = { traceId: "a".repeat(32), spanId: "b".repeat(16), parentSpanId: undefined, kind: "internal" as const };
  const startMs = Date.parse("2026-01-31T12:00:00.000Z");
  return { ...ids, name, startMs, endMs: startMs + 1.5, fields: { whole: 2, part: 0.5, yes: true }, failure: "why" };
}

function open(url = `${collector.url}/v1/traces`, clock = createFakeClock(), signer?: RequestSigner, timeoutMs = 5000) {
  const write = (line: string): void => {
    const { message, error } = JSON.parse(line);
    lines.push(message);
    if (error !== undefined) reasons.push(JSON.stringify(error));
  };
  const log = createLogger({ format: "json", level: "info", write });
  const to = { url, headers: {}, timeoutMs, resource: { "service.name": "reelmill" }, signer };
  return createSpanBuffer(to, log, clock);
}

it("sends spans as the protocol has them", async () => {
  const buffer = open();
  buffer.add(span("a"));
  await buffer.flush();
  expect(collector.faults).toEqual([]);
  expect(collector.spans).toMatchObject([
    {
      name: "a",
      kind: 1,
      startTimeUnixNano: "1769860800000000000",
      endTimeUnixNano: "1769860800001500000",
      attributes: { whole: "2", part: 0.5, yes: true },
      status: { code: 2, message: "why" },
      resource: { "service.name": "reelmill" },
    },
  ]);
  await buffer.flush();
  expect(collector.requests).toHaveLength(1);
});

it("sends again what was not taken for a while, drops what is refused, and says so once", async () => {
  const buffer = open();
  collector.statuses.push(503, 429);
  buffer.add(span("kept"));
  await buffer.flush();
  await buffer.flush();
  buffer.add(span("later"));
  await buffer.flush();
  expect(collector.spans.map(({ name }) => name)).toEqual(["kept", "later"]);
  collector.statuses.push(400);
  buffer.add(span("refused"));
  await buffer.flush();
  buffer.add(span("taken"));
  await buffer.flush();
  expect(collector.spans.map(({ name }) => name)).toEqual(["kept", "later", "taken"]);
  const [failed, works] = [
    "Traces cannot be sent; those that are too many to keep are lost.",
    "Traces can be sent again.",
  ];
  expect(lines).toEqual([failed, works, failed, works]);
});

it("keeps the last where nobody takes them, and fails nobody", async () => {
  const buffer = open();
  collector.statuses.push(...Array.from({ length: 9 }, () => 503));
  for (let index = 0; index < 9000; index++) {
    buffer.add(span(String(index)));
    // As spans end: not all in one turn.
    if (index % 500 === 0) await setImmediate();
  }
  await buffer.flush();
  expect(lines).toHaveLength(1);
  expect(collector.requests.length).toBeLessThan(4);
  collector.statuses.length = 0;
  await buffer.flush();
  const names = collector.spans.map(({ name }) => name);
  expect([names.length, names[0], names.at(-1)]).toEqual([8192, "808", "8999"]);
});

it("keeps nobody who is in a hurry waiting for a collector that is away, and asks it again after a while", async () => {
  const clock = createFakeClock();
  const buffer = open(undefined, clock);
  collector.statuses.push(503);
  buffer.add(span("a"));
  await buffer.flush(0);
  expect(collector.requests).toHaveLength(0);
  await buffer.flush(60_000);
  await buffer.flush(60_000);
  expect(collector.requests).toHaveLength(1);
  clock.advance(30_000);
  await buffer.flush(60_000);
  expect(collector.spans.map(({ name }) => name)).toEqual(["a"]);
});

it("leaves a collector that does not answer to whoever has time", async () => {
  const asked = Promise.withResolvers<ServerResponse>();
  const silent = createServer((_, response) => asked.resolve(response));
  await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
  const buffer = open(`http://127.0.0.1:${(silent.address() as AddressInfo).port}/v1/traces`);
  try {
    buffer.add(span("a"));
    await buffer.flush(20);
    // The request is still under way: one who waited would wait for its end.
    await buffer.flush(60_000);
    expect(lines).toEqual(["Traces cannot be sent; those that are too many to keep are lost."]);
    (await asked.promise).end();
    await buffer.flush();
    expect(lines.at(-1)).toBe("Traces can be sent again.");
  } finally {
    silent.closeAllConnections();
    silent.close();
  }
});

it("tells the reason that a collector gives, on one line, and asks it nothing more", async () => {
  await collector.close();
  collector = await startCollector(() => ({ status: 400, message: "Too \u001b[1mmuch.\nAnd more." }));
  const buffer = open();
  buffer.add(span("a"));
  await buffer.flush();
  expect(reasons).toEqual([expect.stringMatching(/answered with the status 400: Too \\+u001b\[1mmuch\."/)]);
});

it("sends what a signer makes of a request, and waits for one no longer than for an answer", async () => {
  const proving: RequestSigner = {
    sign: async ({ url, headers, body }) => ({ ...headers, "x-proof": `${url} ${body.length}` }),
    advice: "",
  };
  const signed = open(undefined, undefined, proving);
  signed.add(span("a"));
  await signed.flush();
  expect(collector.requests[0]?.headers["x-proof"]).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/v1\/traces \d+$/);
  const silent = open(undefined, undefined, { sign: () => new Promise(() => undefined), advice: "" }, 20);
  silent.add(span("b"));
  await silent.flush();
  expect(collector.requests).toHaveLength(1);
  expect(reasons).toEqual([expect.stringContaining("none could be signed within 20 ms")]);
});
