import type { MediaSegment } from "../playlist.ts";
import type { SegmentContent, TrackSpan } from "./measure.ts";

/** What rules ask of a segment's lines in its playlist. */
export interface SegmentEntry extends Pick<MediaSegment, "durationSeconds" | "isDiscontinuity" | "isGap" | "keys"> {
  /** EXT-X-PROGRAM-DATE-TIME, in milliseconds since 1970; undefined where it has none. */
  readonly dateMs?: number | undefined;
}

/** One segment of a media playlist with what its bytes are. */
export interface MeasuredSegment {
  readonly segment: SegmentEntry;
  /** From 0 on. */
  readonly index: number;
  /** Undefined where the file or the range is not there. */
  readonly sizeBytes: number | undefined;
  /** Undefined where it is encrypted, a gap, or could not be read. */
  readonly content: SegmentContent | undefined;
}

/** What a segment is apart from its numbers and keys: the same for nearly all of a playlist. */
interface Kind {
  readonly entry: Omit<SegmentEntry, "durationSeconds" | "keys" | "dateMs">;
  readonly content: (Omit<SegmentContent, "spans"> & { readonly spans: readonly SpanKind[] }) | undefined;
}

type SpanKind = Pick<TrackSpan, "kind" | "startFault">;

/**
 * The segments of a playlist as they were measured, in its order. Of ten hours there are 18,000 in one playlist: their numbers are kept in a
 * list, what they have in common once, and a segment is put together when it is looked at.
 */
export class SegmentTable implements Iterable<MeasuredSegment> {
  readonly #numbers: number[] = [];
  /** Where each segment's numbers begin. */
  readonly #starts: number[] = [];
  readonly #kinds: Kind[] = [];
  readonly #keys: SegmentEntry["keys"][] = [];
  readonly #known = new Map<string, Kind>();

  get length(): number {
    return this.#starts.length;
  }

  /** Adds the next segment. */
  push(entry: SegmentEntry, sizeBytes: number | undefined, content: SegmentContent | undefined): void {
    const numbers = this.#numbers;
    this.#starts.push(numbers.length);
    this.#kinds.push(this.#kindOf(entry, content));
    this.#keys.push(entry.keys);
    numbers.push(entry.durationSeconds, toNumber(entry.dateMs), toNumber(sizeBytes));
    for (const span of content?.spans ?? []) {
      numbers.push(span.startSeconds, span.endSeconds, span.decodeStartSeconds, toNumber(span.decodeEndSeconds));
      numbers.push(span.sampleCount, span.minFrameSeconds, span.maxFrameSeconds, span.lastFrameSeconds);
      numbers.push(span.maxFramesInSecond, span.keyFrameSeconds.length);
      for (const seconds of span.keyFrameSeconds) numbers.push(seconds);
    }
  }

  /** The segment at a place, from 0 on; undefined where there is none. */
  at(index: number): MeasuredSegment | undefined {
    const start = this.#starts[index];
    const kind = this.#kinds[index];
    const keys = this.#keys[index];
    if (start === undefined || kind === undefined || keys === undefined) return undefined;
    let at = start;
    const next = (): number => this.#numbers[at++] as number;
    const segment = { ...kind.entry, durationSeconds: next(), dateMs: fromNumber(next()), keys };
    const sizeBytes = fromNumber(next());
    if (kind.content === undefined) return { segment, index, sizeBytes, content: undefined };
    const spans = kind.content.spans.map((span) => readSpan(span, next));
    return { segment, index, sizeBytes, content: { ...kind.content, spans } };
  }

  *values(): Generator<MeasuredSegment> {
    for (let index = 0; index < this.length; index++) yield this.at(index) as MeasuredSegment;
  }

  [Symbol.iterator](): Generator<MeasuredSegment> {
    return this.values();
  }

  #kindOf({ isDiscontinuity, isGap }: SegmentEntry, content: SegmentContent | undefined): Kind {
    const spans = content?.spans.map(({ kind, startFault }) => ({ kind, startFault }));
    const kind = { entry: { isDiscontinuity, isGap }, content: content && { ...content, spans: spans ?? [] } };
    const text = JSON.stringify(kind);
    const known = this.#known.get(text) ?? kind;
    this.#known.set(text, known);
    return known;
  }
}

/** The numbers of a span in the order in which `push` wrote them. */
function readSpan({ kind, startFault }: SpanKind, next: () => number): TrackSpan {
  const [startSeconds, endSeconds, decodeStartSeconds, decodeEndSeconds] = [next(), next(), next(), fromNumber(next())];
  const [sampleCount, minFrameSeconds, maxFrameSeconds, lastFrameSeconds] = [next(), next(), next(), next()];
  const maxFramesInSecond = next();
  const keyFrameSeconds = Array.from({ length: next() }, next);
  return {
    ...{ kind, startSeconds, endSeconds, decodeStartSeconds, decodeEndSeconds, sampleCount },
    ...{ minFrameSeconds, maxFrameSeconds, lastFrameSeconds, maxFramesInSecond, keyFrameSeconds, startFault },
  };
}

function toNumber(value: number | undefined): number {
  return value ?? Number.NaN;
}

function fromNumber(value: number): number | undefined {
  return Number.isNaN(value) ? undefined : value;
}
