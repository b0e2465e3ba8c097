import { expect, it } from "vitest";
import { createSpanId, createTraceId, deriveId, formatTraceparent, parseTraceparent } from "./trace-context.ts";

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN = "00f067aa0ba902b7";

it("reads what it writes", () => {
  for (const isSampled of [true, false]) {
    const context = { traceId: TRACE, spanId: SPAN, isSampled };
    expect(parseTraceparent(formatTraceparent(context))).toEqual(context);
  }
  expect(formatTraceparent({ traceId: TRACE, spanId: SPAN, isSampled: true })).toBe(`00-${TRACE}-${SPAN}-01`);
});

it("takes later versions by what they begin with, and refuses what is no context", () => {
  expect(parseTraceparent(`01-${TRACE}-${SPAN}-09-more`)).toEqual({ traceId: TRACE, spanId: SPAN, isSampled: true });
  for (const text of [
    "",
    `00-${TRACE}-${SPAN}`,
    `00-${TRACE}-${SPAN}-01-more`,
    `ff-${TRACE}-${SPAN}-01`,
    `00-${TRACE.toUpperCase()}-${SPAN}-01`,
    `00-${"0".repeat(32)}-${SPAN}-01`,
    `00-${TRACE}-${"0".repeat(16)}-01`,
  ]) {
    expect(parseTraceparent(text), text).toBeUndefined();
  }
});

it("makes traces whose ids begin with their second, as X-Ray wants them", () => {
  const nowMs = Date.parse("2026-01-31T12:00:00.999Z");
  expect(createTraceId(nowMs)).toMatch(/^[0-9a-f]{32}$/);
  expect(Number.parseInt(createTraceId(nowMs).slice(0, 8), 16)).toBe(Date.parse("2026-01-31T12:00:00Z") / 1000);
  expect(createSpanId()).toMatch(/^[0-9a-f]{16}$/);
  expect(deriveId("a", 8)).toBe(deriveId("a", 8));
  expect(deriveId("a", 12)).toMatch(/^[0-9a-f]{24}$/);
});
