import { AsyncLocalStorage } from "node:async_hooks";
import type { Clock } from "../../base/clock.ts";
import { ReelmillError } from "../../base/errors.ts";
import {
  createSpanId,
  createTraceId,
  formatTraceparent,
  parseTraceparent,
  type TraceContext,
} from "../../base/trace-context.ts";
import type { Span, SpanFields, SpanOptions, Tracer } from "../../base/tracer.ts";
import type { SpanBuffer } from "./span-buffer.ts";

/** A span that is begun by one call and ended by another, because what happens in it is told by events. */
export interface OpenSpan extends Span {
  end(error?: unknown): void;
}

/** A tracer for those as well. */
export interface EventTracer extends Tracer {
  /** Begins a span below the one around the caller; undefined where there is none, or its trace is not kept. */
  begin(name: string, fields: SpanFields): OpenSpan | undefined;
}

/** A tracer whose spans go to the buffer. Traces that somebody else began are kept where that one wanted it, all others are. */
export function createTracer(buffer: SpanBuffer, clock: Clock): EventTracer {
  const around = new AsyncLocalStorage<TraceContext>();
  const parentOf = (parent: string | undefined): TraceContext | undefined =>
    parent === undefined ? around.getStore() : parseTraceparent(parent);
  const open = (name: string, parent: TraceContext | undefined, { fields, kind = "internal" }: SpanOptions) => {
    const { traceId = createTraceId(clock.nowMs()), isSampled = true } = parent ?? {};
    const context: TraceContext = { traceId, spanId: createSpanId(), isSampled };
    const startMs = clock.nowMs();
    // The wall clock may be set meanwhile.
    const startedAt = clock.monotonicMs();
    let told: SpanFields = fields ?? {};
    let failure: string | undefined;
    const span: OpenSpan = {
      set: (more) => {
        told = { ...told, ...more };
      },
      fail: (reason) => {
        failure ??= reason;
      },
      end: (error) => {
        if (error !== undefined) span.fail(describe(error));
        if (!isSampled) return;
        const { spanId } = context;
        const endMs = startMs + clock.monotonicMs() - startedAt;
        buffer.add({
          name,
          traceId,
          spanId,
          parentSpanId: parent?.spanId,
          kind,
          startMs,
          endMs,
          fields: told,
          failure,
        });
      },
    };
    return { context, span };
  };
  return {
    run: async (name, options, work) => {
      const { context, span } = open(name, parentOf(options.parent), options);
      try {
        const result = await around.run(context, () => work(span));
        span.end();
        return result;
      } catch (error) {
        span.end(error);
        throw error;
      }
    },
    begin: (name, fields) => {
      const parent = around.getStore();
      return parent?.isSampled === true ? open(name, parent, { fields }).span : undefined;
    },
    context: () => {
      const context = around.getStore();
      return context && formatTraceparent(context);
    },
    tell: ({ name, context, parent, startMs, endMs, fields, failure }) => {
      const own = parseTraceparent(context);
      if (own?.isSampled !== true) return;
      const parentSpanId = parent === undefined ? undefined : parseTraceparent(parent)?.spanId;
      const { traceId, spanId } = own;
      buffer.add({ name, traceId, spanId, parentSpanId, kind: "internal", startMs, endMs, fields, failure });
    },
    flush: buffer.flush,
  };
}

function describe(error: unknown): string {
  if (error instanceof ReelmillError) return `${error.code}: ${error.message}`;
  return error instanceof Error ? error.message : String(error);
}
