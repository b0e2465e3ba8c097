import type { Clock } from "../../base/clock.ts";
import { ReelmillError } from "../../base/errors.ts";
import { createFaultLog } from "../../base/fault-log.ts";
import type { Logger } from "../../base/log.ts";
import { pause } from "../../base/pause.ts";
import type { SpanFields } from "../../base/tracer.ts";
import { type Collector, nameOf, postToCollector } from "./collector.ts";

/** A span that is over. Ids are in hexadecimal digits, times in milliseconds since 1970-01-01T00:00:00Z. */
export interface EndedSpan {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  readonly kind: "internal" | "server";
  readonly startMs: number;
  readonly endMs: number;
  readonly fields: SpanFields;
  /** Undefined where it did not fail. */
  readonly failure: string | undefined;
}

/** Keeps spans for a while and sends them together. */
export interface SpanBuffer {
  add(span: EndedSpan): void;
  /**
   * Sends what is there. Never throws. With `withinMs` it waits for the collector no longer than so many milliseconds, and not at all where that was away within
   * the last half minute: what is not sent then is kept.
   */
  flush(withinMs?: number): Promise<void>;
}

const SEND_EVERY_MS = 5000;
const MAX_PER_REQUEST = 512;
/** Where the collector is away, the oldest go; half an hour of a busy worker's. */
const MAX_KEPT = 8192;
/** So long after it failed nobody who is in a hurry waits for the collector. */
const AWAY_MS = 30_000;

/** A buffer that sends to the collector by OTLP 1.x over HTTP, as JSON (OpenTelemetry Protocol, "OTLP/HTTP", "JSON Protobuf Encoding"). */
export function createSpanBuffer(collector: Collector, log: Logger, clock: Clock): SpanBuffer {
  const kept: EndedSpan[] = [];
  const faults = createFaultLog({
    ...{ log, clock, level: "warn" as const },
    message: "Traces cannot be sent; those that are too many to keep are lost.",
    over: "Traces can be sent again.",
  });
  let timer: NodeJS.Timeout | undefined;
  let sending: Promise<void> = Promise.resolve();
  let isSending = false;
  /** The last request failed: the next one waits for its time, however many spans there are. */
  let isAway = false;
  let failedAtMs = 0;
  const fail = (error: unknown): void => {
    faults.failed(error);
    isAway = true;
    failedAtMs = clock.nowMs();
  };
  const sendAll = async (): Promise<void> => {
    while (kept.length > 0) {
      const spans = kept.splice(0, MAX_PER_REQUEST);
      try {
        await postToCollector(collector, JSON.stringify(toRequest(spans, collector.resource)));
        faults.worked();
        isAway = false;
      } catch (error) {
        fail(error);
        // What a collector refuses it would refuse again.
        if (error instanceof ReelmillError && error.retryable) kept.unshift(...spans);
        return;
      }
    }
  };
  const send = (): Promise<void> => {
    clearTimeout(timer);
    timer = undefined;
    isSending = true;
    sending = sending.then(sendAll).finally(() => {
      isSending = false;
    });
    return sending;
  };
  const sendWithin = async (ms: number): Promise<void> => {
    if (ms <= 0 || (isAway && clock.nowMs() - failedAtMs < AWAY_MS)) return;
    const timer = new AbortController();
    const isLate = await Promise.race([send().then(() => false), pause(ms, timer.signal).then(() => true)]);
    timer.abort();
    if (!isLate) return;
    fail(new ReelmillError("STORE_UNAVAILABLE", `${nameOf(collector)} did not answer within ${ms} ms.`));
  };
  return {
    add: (span) => {
      kept.push(span);
      if (kept.length > MAX_KEPT) kept.splice(0, kept.length - MAX_KEPT);
      if (kept.length >= MAX_PER_REQUEST && !isSending && !isAway) void send();
      // A process does not stay for the sake of its spans; whoever ends in order closes.
      else timer ??= setTimeout(() => void send(), SEND_EVERY_MS).unref();
    },
    flush: (withinMs) => (withinMs === undefined ? send() : sendWithin(withinMs)),
  };
}

const KINDS = { internal: 1, server: 2 } as const;
const FAILED = 2;

function toRequest(spans: readonly EndedSpan[], resource: SpanFields): object {
  return {
    resourceSpans: [
      {
        resource: { attributes: toAttributes(resource) },
        scopeSpans: [{ scope: { name: "reelmill" }, spans: spans.map(toSpan) }],
      },
    ],
  };
}

function toSpan({ name, traceId, spanId, parentSpanId, kind, startMs, endMs, fields, failure }: EndedSpan): object {
  return {
    ...{ traceId, spanId, name, kind: KINDS[kind] },
    ...(parentSpanId === undefined ? {} : { parentSpanId }),
    startTimeUnixNano: toNanos(startMs),
    endTimeUnixNano: toNanos(Math.max(startMs, endMs)),
    attributes: toAttributes(fields),
    ...(failure === undefined ? {} : { status: { code: FAILED, message: failure } }),
  };
}

/** 64-bit numbers are texts in JSON. */
function toNanos(ms: number): string {
  return String(BigInt(Math.round(ms * 1000)) * 1000n);
}

function toAttributes(fields: SpanFields): readonly object[] {
  return Object.entries(fields).map(([key, value]) => ({ key, value: toValue(value) }));
}

function toValue(value: string | number | boolean): object {
  if (typeof value === "string") return { stringValue: value };
  if (typeof value === "boolean") return { boolValue: value };
  return Number.isSafeInteger(value) ? { intValue: String(value) } : { doubleValue: value };
}
