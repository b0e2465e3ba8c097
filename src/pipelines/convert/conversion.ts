import type { EncoderWish } from "../../ffmpeg/encoder-wish.ts";
import type { HeldShape } from "../../ffmpeg/held-shape.ts";
import type { Ratio, TrackPurpose } from "../../ffmpeg/manifest.ts";
import type { Metric } from "../../ffmpeg/score.ts";
import type { SpanEncoder } from "../../spans/encode-span.ts";
import type { PlacedSpan } from "../../spans/place-span.ts";
import type { Target } from "./options.ts";

/** Pictures that fit already. */
export interface CopiedVideo {
  readonly kind: "copy";
  readonly codec: Target;
  readonly streamIndex: number;
  /** When pictures are shown, in ticks of `outputTimeBase`, rising; as `packTicks` packs them. */
  readonly packedTicks: string;
  readonly outputTimeBase: Ratio;
}

/** An encoder, and what it was made of: the same wish at another quality makes another. */
export interface PlannedEncoder extends SpanEncoder {
  readonly name: string;
  readonly hardware: string | null;
  /** Quality and preset, for the report. */
  readonly settings: string;
  readonly wish: EncoderWish;
  /** Takes over where a device fails in the middle of its work; null where nothing can, and for software. */
  readonly fallback: PlannedEncoder | null;
}

/** Pictures that are encoded. */
export interface EncodedVideo {
  readonly kind: "encode";
  readonly codec: Target;
  readonly streamIndex: number;
  readonly encoder: PlannedEncoder;
  /** Of what comes out, in ffmpeg's words. */
  readonly pixelFormat: "yuv420p" | "yuv420p10le";
  readonly contextFilters: readonly string[];
  readonly pictureFilters: readonly string[];
  /** Position among the file's subtitles of those that become part of the picture; null: none. */
  readonly burntSubtitle: number | null;
  /** What the source's pictures are held to; absent in plans of older versions. */
  readonly shape?: HeldShape;
  /** As `SpanJob` has it; in plans of older versions `source`. */
  readonly encoderTimeBase: Ratio | "source" | null;
  /** When pictures are shown, in ticks of `outputTimeBase`, rising, as `packTicks` packs them; null where only decoding tells. */
  readonly packedTicks: string | null;
  readonly outputTimeBase: Ratio;
  readonly lastDurationTicks: number;
  /** As the source has them. */
  readonly language: string | null;
  readonly title: string | null;
  /** How many pictures of the even rate that is asked for fill the time of the source's; null where none is asked for, or that time is not known. */
  readonly evenPictures: number | null;
  /** As `VideoStream` has them; null where there are none, or the range was changed. */
  readonly masteringDisplay: string | null;
  readonly contentLight: string | null;
  /** How many spans are encoded at a time, ≥ 1. */
  readonly processes: number;
  /** Whether each span is decoded where it was encoded, as a proof that it can be; else the output is, where that is asked for. */
  readonly decodesSpans: boolean;
  /** In order; each is a task. */
  readonly spans: readonly SpanPlan[];
}

/** What becomes of the pictures. */
export type VideoPlan = CopiedVideo | EncodedVideo;

/** One span, by the indexes of its pictures. */
export interface SpanPlan extends PlacedSpan {
  /** Share of the work, > 0; of all spans together about the number of pictures. */
  readonly weight: number;
}

/** What is known of a sound track, whatever becomes of it. */
export interface AudioTrack {
  readonly streamIndex: number;
  /** Among the source's sound tracks, from 0, as `audioTracks` counts. */
  readonly position: number;
  /** The codec that comes out. */
  readonly codec: string;
  readonly language: string | null;
  readonly title: string | null;
  readonly isDefault: boolean;
  /** Absent in plans of older versions. */
  readonly purposes?: readonly TrackPurpose[];
  /** Of the source; 0 where it does not tell. */
  readonly channels: number;
  /** In ffmpeg's words; null where it does not tell. */
  readonly channelLayout: string | null;
  /** As the source has them, in seconds of its clock; null where it does not tell. */
  readonly startSeconds: number | null;
  readonly durationSeconds: number | null;
}

/** What becomes of one sound track. */
export type AudioPlan =
  | (AudioTrack & { readonly kind: "copy" })
  | (AudioTrack & {
      readonly kind: "encode";
      readonly arguments: readonly string[];
      /** Stands at the end of its filters. */
      readonly filter: string;
      readonly bitrateKbps: number;
      /** How many channels come out; null where only decoding tells. */
      readonly madeChannels: number | null;
    });

/** What a quality is searched for. */
export type Aim =
  | { readonly kind: "quality"; readonly metric: Metric; readonly score: number }
  | { readonly kind: "size"; readonly bytes: number };

/** How a quality was found, and what it was expected to come to. Qualities are in the scale of the setting `quality`. */
export interface SearchReport {
  readonly aim: Aim;
  readonly quality: number;
  /** Score of samples, null where the aim is a size; bytes of the whole file; seconds to encode its pictures. */
  readonly predicted: { readonly score: number | null; readonly bytes: number; readonly seconds: number };
  /** In their order. */
  readonly trials: readonly { readonly quality: number; readonly score: number | null; readonly bytes: number }[];
  readonly sampledSeconds: number;
}

/** A search, and what is needed should the size be missed all the same. */
export interface PlannedSearch extends SearchReport {
  /** How much the logarithm of the size falls with each step of quality. */
  readonly sizeLogPerQuality: number;
}

/** How the pictures of the output are to look, in the words of `VideoStream`. */
export interface OutputLook {
  /** As coded, before rotation. */
  readonly widthPixels: number;
  readonly heightPixels: number;
  readonly rotationDegrees: number;
  readonly bitDepth: number;
  /** Null where nothing is known. */
  readonly colour: Readonly<Record<"matrix" | "transfer" | "primaries", string | null>>;
  /** Whether players show something else where it differs: of high dynamic range, kept or mapped; else recordings change it on the way. */
  readonly isColourCertain: boolean;
}

/** Text subtitles that are kept. */
export interface SubtitlePlan {
  readonly streamIndex: number;
  readonly language: string | null;
  readonly title: string | null;
  /** ffmpeg's names of what the track is: `default`, `forced`, `hearing_impaired`, … */
  readonly dispositions: readonly string[];
}

/** A conversion as it was planned: JSON, handed from stage to stage. */
export interface ConversionPlan {
  readonly video: VideoPlan;
  readonly look: OutputLook;
  readonly audio: readonly AudioPlan[];
  /** The text subtitles that are kept, and the codec that they become. */
  readonly subtitles: readonly SubtitlePlan[];
  readonly subtitleCodec: "mov_text" | "webvtt";
  readonly container: "mp4" | "webm";
  /** What becomes time 0, in seconds of the source's clock. */
  readonly originSeconds: number;
  readonly durationSeconds: number | null;
  /** Null where no quality was searched. */
  readonly search: PlannedSearch | null;
  /** The output must not be larger; null: as large as it gets. */
  readonly maxBytes: number | null;
  /** How the output is compared with the source, and what is expected of it; null: not at all. */
  readonly comparison: { readonly metric: Metric; readonly wanted: number | null } | null;
  /** Sentences for the report. */
  readonly findings: readonly string[];
}

/** Something that was looked at on the output. */
export interface ConversionCheck {
  readonly name: "pictures" | "times" | "duration" | "streams" | "decode" | "size" | "score";
  readonly status: "passed" | "warning" | "failed" | "skipped";
  readonly detail: string;
}

/** How near samples of the output are to the source's pictures. */
export interface MeasuredScore {
  readonly metric: Metric;
  readonly value: number;
  readonly sampledSeconds: number;
}

/** What came of a conversion. */
export interface ConversionReport {
  /** Null where they were copied. */
  readonly pictures: number | null;
  readonly spans: number;
  readonly encoder: string;
  readonly checks: readonly ConversionCheck[];
  readonly findings: readonly string[];
  readonly inputBytes: number;
  readonly outputBytes: number;
  readonly durationSeconds: number | null;
  /** Samples, upright. */
  readonly widthPixels: number;
  readonly heightPixels: number;
  /** Null where no quality was searched. */
  readonly search: (SearchReport & { readonly correctedQuality: number | null }) | null;
  /** How near the output is to the source; null where they were not compared. */
  readonly score: MeasuredScore | null;
}
