/** What is told of a span besides its name and times; names are those of OpenTelemetry's semantic conventions where these have one. */
export type SpanFields = Readonly<Record<string, string | number | boolean>>;

/** How a span is begun. */
export interface SpanOptions {
  readonly fields?: SpanFields;
  /** The context that the span belongs to (W3C Trace Context, `traceparent`); left out: that of the span around it, else a trace of its own. */
  readonly parent?: string | undefined;
  /** Who calls: `server` answers somebody else's request; default `internal`. */
  readonly kind?: "internal" | "server";
}

/** A span under way. */
export interface Span {
  /** What the work has come to know. */
  set(fields: SpanFields): void;
  /** Marks what failed without throwing. */
  fail(reason: string): void;
}

/** A span that nobody had open: its id was known before, as that of a job is to all who work at its tasks. */
export interface ClosedSpan {
  readonly name: string;
  /** The span's own context. */
  readonly context: string;
  /** That of its parent; undefined: it is the first of its trace. */
  readonly parent: string | undefined;
  /** Milliseconds since 1970-01-01T00:00:00Z. */
  readonly startMs: number;
  readonly endMs: number;
  readonly fields: SpanFields;
  /** Why it failed; undefined where it did not. */
  readonly failure: string | undefined;
}

/** Takes spans; handed in, never global. What cannot be told holds no work up and fails none. */
export interface Tracer {
  /** Does the work in a span, which failures mark, and what is begun in it belongs to. Throws what the work does. */
  run<T>(name: string, options: SpanOptions, work: (span: Span) => Promise<T>): Promise<T>;
  /** The context of the span around the caller, to be handed on to others; undefined outside of all. */
  context(): string | undefined;
  tell(span: ClosedSpan): void;
  /** Sends what is here; with `withinMs` in at most so many milliseconds, or later. Never throws. */
  flush(withinMs?: number): Promise<void>;
}

/** Where nobody asked for spans. */
export const NO_SPAN: Span = { set: () => undefined, fail: () => undefined };

/** Does the work in a span where there is a tracer, else just so. */
export function inSpan<T>(
  tracer: Tracer | undefined,
  name: string,
  options: SpanOptions,
  work: (span: Span) => Promise<T>,
): Promise<T> {
  return tracer === undefined ? work(NO_SPAN) : tracer.run(name, options, work);
}
