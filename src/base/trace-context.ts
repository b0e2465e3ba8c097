import { createHash, randomBytes } from "node:crypto";

/** Where in which trace something happens (W3C Trace Context). */
export interface TraceContext {
  /** 32 hexadecimal digits. */
  readonly traceId: string;
  /** 16 hexadecimal digits. */
  readonly spanId: string;
  /** Whether whoever began the trace wants it kept. */
  readonly isSampled: boolean;
}

const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?$/;

/** A context as `traceparent` has it; undefined for what is none, as the recommendation asks (§3.2). */
export function parseTraceparent(text: string): TraceContext | undefined {
  const [whole, traceId, spanId, flags] = TRACEPARENT.exec(text) ?? [];
  if (whole === undefined || traceId === undefined || spanId === undefined || flags === undefined) return undefined;
  if (whole.startsWith("00") && whole.length > 55) return undefined;
  return { traceId, spanId, isSampled: (Number.parseInt(flags, 16) & 1) === 1 };
}

/** The context as a `traceparent` of version 00. */
export function formatTraceparent({ traceId, spanId, isSampled }: TraceContext): string {
  return `00-${traceId}-${spanId}-${isSampled ? "01" : "00"}`;
}

/** A trace's id that AWS X-Ray takes, too: it begins with the second in which the trace does (AWS X-Ray Developer Guide, "Trace ID format"). */
export function createTraceId(nowMs: number, random = randomBytes(12).toString("hex")): string {
  return `${Math.floor(nowMs / 1000)
    .toString(16)
    .padStart(8, "0")
    .slice(-8)}${random}`;
}

/** A span's id. */
export function createSpanId(): string {
  const id = randomBytes(8).toString("hex");
  return /^0+$/.test(id) ? createSpanId() : id;
}

/** A span's, or the rest of a trace's, id that everybody who knows the name comes to: so many bytes in hexadecimal digits. */
export function deriveId(name: string, bytes: 8 | 12): string {
  return createHash("sha256")
    .update(name)
    .digest("hex")
    .slice(0, 2 * bytes);
}
