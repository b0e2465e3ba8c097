import type { Ratio } from "../../ffmpeg/manifest.ts";
import type { SpanEncoder } from "../../spans/encode-span.ts";

/** What becomes of the pictures. */
export type VideoPlan =
  | { readonly kind: "copy"; readonly streamIndex: number; readonly reason: string }
  | {
      readonly kind: "encode";
      readonly streamIndex: number;
      readonly timeBase: Ratio;
      readonly encoder: SpanEncoder & {
        readonly name: string;
        readonly hardware: string | null;
        readonly settings: string;
      };
      readonly contextFilters: readonly string[];
      readonly pictureFilters: readonly string[];
      readonly isConstantRate: boolean;
      /** When pictures are shown, in ticks of `outputTimeBase`, rising; empty where only decoding tells. */
      readonly ticks: readonly number[];
      readonly outputTimeBase: Ratio;
      readonly lastDurationTicks: number;
      readonly spans: readonly SpanPlan[];
    };

/** One span, by the indexes of its pictures. */
export interface SpanPlan {
  readonly start: number;
  readonly end: number;
  /** Where reading begins, in seconds of the file's own clock; null: at its start. */
  readonly seekSeconds: number | null;
}

/** What becomes of one sound track. */
export interface AudioPlan {
  readonly streamIndex: number;
  readonly kind: "copy" | "encode";
  /** Of tracks that are encoded: options and filter. */
  readonly arguments: readonly string[];
  readonly filter: string;
  /** The codec that comes out. */
  readonly codec: string;
}

/** A conversion as it was planned: JSON, handed from stage to stage. */
export interface ConversionPlan {
  readonly video: VideoPlan;
  readonly audio: readonly AudioPlan[];
  /** Text subtitles that are kept, by stream index, and the codec they become. */
  readonly subtitles: readonly number[];
  readonly subtitleCodec: "mov_text" | "webvtt";
  readonly container: "mp4" | "webm";
  /** What becomes time 0, in seconds of the source's clock. */
  readonly originSeconds: number;
  readonly durationSeconds: number | null;
  /** Sentences for the report. */
  readonly findings: readonly string[];
}

/** Something that was looked at on the output. */
export interface ConversionCheck {
  readonly name: "pictures" | "times" | "duration" | "streams" | "decode";
  readonly status: "passed" | "failed" | "skipped";
  readonly detail: string;
}

/** What came of a conversion. */
export interface ConversionReport {
  readonly pictures: number;
  readonly spans: number;
  readonly encoder: string;
  readonly checks: readonly ConversionCheck[];
  readonly findings: readonly string[];
  readonly inputBytes: number;
  readonly outputBytes: number;
  readonly durationSeconds: number;
}

/** Whether sound is encoded, as a task of its own. */
export function encodesAudio({ audio }: ConversionPlan): boolean {
  return audio.some(({ kind }) => kind === "encode");
}
