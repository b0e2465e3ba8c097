import { addToBusiestSecond, createRecentFrames, type RecentFrames } from "./busiest-second.ts";

/** What is measured of media segments, whatever container they come in. Times are seconds on the media's own clock. */

/** What an HLS segment may be (RFC 8216bis §3.1). */
export type SegmentContainer = "fmp4" | "mpegts" | "packed-audio" | "webvtt";

/** Brightness range of pictures, by transfer characteristics (ITU-T H.273): 16 is PQ, 18 HLG, all others SDR. */
export type VideoRange = "SDR" | "HLG" | "PQ";

/** How the samples of a track are encrypted, as its sample entry (ISO/IEC 23001-7) or its stream type says. */
export interface SampleProtection {
  /** `cbcs`, `cenc`, …; empty where it is not told. */
  readonly scheme: string;
  /** Hexadecimal; undefined where every sample has a vector of its own. */
  readonly constantVector: string | undefined;
  /** Another sample entry of the track is of clear samples, which a segment may have. */
  readonly isOptional: boolean;
}

/** That of transport streams and packed audio, which have one scheme and tell no vector. */
export const STREAM_PROTECTION: SampleProtection = {
  scheme: "MPEG-2 stream encryption",
  constantVector: undefined,
  isOptional: false,
};

/** One kind of pictures or sound in a media playlist, as its decoder configuration has it. */
export type TrackFacts = KindFacts & {
  /** Undefined where the samples are clear. */
  readonly protection?: SampleProtection | undefined;
};

type KindFacts =
  | {
      readonly kind: "video";
      /** RFC 6381; undefined where the format is not known. */
      readonly codec: string | undefined;
      readonly widthPixels: number;
      readonly heightPixels: number;
      readonly isInterlaced: boolean;
      readonly range: VideoRange;
    }
  | { readonly kind: "audio"; readonly codec: string | undefined; readonly channelCount: number }
  | { readonly kind: "text"; readonly codec: string | undefined };

/** One track's samples within one segment. */
export interface TrackSpan {
  readonly kind: "video" | "audio";
  /** Earliest presentation time. */
  readonly startSeconds: number;
  /** Latest presentation time with that sample's duration; without it where the container does not tell durations. */
  readonly endSeconds: number;
  readonly decodeStartSeconds: number;
  /** Undefined where the container does not tell durations. */
  readonly decodeEndSeconds: number | undefined;
  readonly sampleCount: number;
  /** The shortest of all but the one decoded last; 0 where there is none. */
  readonly minFrameSeconds: number;
  readonly maxFrameSeconds: number;
  /** How long the sample decoded last lasts; 0 where the container does not tell. */
  readonly lastFrameSeconds: number;
  /** The most pictures in any one second that ends within the segment, those of segments before it included; 0 for sound. */
  readonly maxFramesInSecond: number;
  /** Presentation times of the key frames, rising; empty for sound, whose every sample is one. */
  readonly keyFrameSeconds: readonly number[];
  /** Why the first sample does not begin a decode anew; undefined where it does. */
  readonly startFault: string | undefined;
}

/** One segment as its bytes are. */
export interface SegmentContent {
  readonly container: SegmentContainer;
  readonly tracks: readonly TrackFacts[];
  readonly spans: readonly TrackSpan[];
  /** Jumps of continuity counters and of decode times within the segment, one sentence each. */
  readonly continuityFaults: readonly string[];
  /** WebVTT: whether X-TIMESTAMP-MAP is there. */
  readonly hasTimestampMap?: boolean;
  /** I-frame playlists: why the range is not exactly one key frame that stands alone. */
  readonly iFrameFault?: string;
}

/** The range that transfer characteristics mean. */
export function rangeOfTransfer(transferCharacteristics: number): VideoRange {
  if (transferCharacteristics === 16) return "PQ";
  return transferCharacteristics === 18 ? "HLG" : "SDR";
}

/** A span's samples as they are gathered; `finish` orders them. */
export class SpanBuilder {
  readonly #kind: "video" | "audio";
  readonly #recent: RecentFrames;
  readonly #presentation: number[] = [];
  readonly #keyFrames: number[] = [];
  #decodeStart: number | undefined;
  #decodeEnd: number | undefined;
  #lastEnd = Number.NEGATIVE_INFINITY;
  #minFrame = Number.POSITIVE_INFINITY;
  #maxFrame = 0;
  #lastFrame = 0;
  startFault: string | undefined;

  /** `recent`: of the pictures in the segments before, changed by `finish`. */
  constructor(kind: "video" | "audio", recent: RecentFrames = createRecentFrames()) {
    this.#kind = kind;
    this.#recent = recent;
  }

  get sampleCount(): number {
    return this.#presentation.length;
  }

  /** Adds a sample in decode order; the duration is undefined where the container does not tell it. */
  add(decodeSeconds: number, presentationSeconds: number, durationSeconds: number | undefined, isKey: boolean): void {
    this.#decodeStart ??= decodeSeconds;
    this.#presentation.push(presentationSeconds);
    if (isKey) this.#keyFrames.push(presentationSeconds);
    this.#lastEnd = Math.max(this.#lastEnd, presentationSeconds + (durationSeconds ?? 0));
    if (durationSeconds === undefined) return;
    this.#decodeEnd = decodeSeconds + durationSeconds;
    if (this.#lastFrame > 0) this.#minFrame = Math.min(this.#minFrame, this.#lastFrame);
    this.#maxFrame = Math.max(this.#maxFrame, durationSeconds);
    this.#lastFrame = durationSeconds;
  }

  /** The span; undefined where no sample was added. */
  finish(): TrackSpan | undefined {
    if (this.#decodeStart === undefined) return undefined;
    const times = Float64Array.from(this.#presentation).sort();
    if (this.#decodeEnd === undefined) this.#measureFrames(times);
    return {
      kind: this.#kind,
      startSeconds: times[0] as number,
      endSeconds: this.#lastEnd,
      decodeStartSeconds: this.#decodeStart,
      decodeEndSeconds: this.#decodeEnd,
      sampleCount: times.length,
      minFrameSeconds: Number.isFinite(this.#minFrame) ? this.#minFrame : 0,
      maxFrameSeconds: this.#maxFrame,
      lastFrameSeconds: this.#lastFrame,
      maxFramesInSecond: this.#kind === "video" ? addToBusiestSecond(this.#recent, times) : 0,
      keyFrameSeconds: this.#keyFrames.sort((a, b) => a - b),
      startFault: this.startFault,
    };
  }

  #measureFrames(times: Float64Array): void {
    for (let index = 1; index < times.length; index++) {
      const distance = (times[index] as number) - (times[index - 1] as number);
      this.#minFrame = Math.min(this.#minFrame, distance);
      this.#maxFrame = Math.max(this.#maxFrame, distance);
    }
  }
}
