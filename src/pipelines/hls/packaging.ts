import type { HardwareFamily } from "../../ffmpeg/encoder-wish.ts";
import type { HeldShape } from "../../ffmpeg/held-shape.ts";
import type { Ratio, TrackPurpose } from "../../ffmpeg/manifest.ts";
import type { FfmpegTools } from "../../ffmpeg/tools.ts";
import type { SpanJob } from "../../spans/encode-span.ts";
import type { HighRange } from "./high-range.ts";
import type { Rung, RungCodec } from "./ladder.ts";
import type { EncryptMethod } from "./options.ts";

/** One encoding of one sound track. */
export interface SoundPlan {
  /** Unique, fit for a folder's name, such as `audio-en-stereo`. */
  readonly name: string;
  readonly groupId: string;
  readonly streamIndex: number;
  /** Among the recording's sound tracks, from 0. */
  readonly position: number;
  readonly channels: number;
  /** Whether the source has a single channel. */
  readonly isMono: boolean;
  /** So many channels as the source has, where they cannot be mixed and the first are taken; else null. */
  readonly unmixedChannels: number | null;
  readonly kilobitsPerSecond: number;
  /** BCP 47; `und` where the source does not tell. */
  readonly language: string;
  /** For people, unique within its group. */
  readonly label: string;
  readonly isDefault: boolean;
  /** Absent in plans of older versions. */
  readonly purposes?: readonly TrackPurpose[];
}

/** One track of text subtitles. */
export interface SubtitlePlan {
  /** As that of a sound. */
  readonly name: string;
  readonly streamIndex: number;
  /** BCP 47; `und` where the source does not tell. */
  readonly language: string;
  /** For people, unique. */
  readonly label: string;
  /** Whether it is meant to be shown without being asked for, such as of foreign speech. */
  readonly isForced: boolean;
  /** Absent in plans of older versions. */
  readonly purposes?: readonly TrackPurpose[];
}

/** How a device that encodes is called. */
export interface RungDevice {
  readonly family: HardwareFamily;
  /** Stand before the inputs, such as `-init_hw_device`. */
  readonly globalArguments: readonly string[];
  /** The last of a rung's filters: pixel format, upload to the device. */
  readonly filter: string;
}

/** How the pictures of one codec are encoded. */
export interface RungEncoder {
  readonly codec: RungCodec;
  /** ffmpeg's name, such as libx264. */
  readonly name: string;
  /** `default` where a device has none. */
  readonly preset: string;
  /** Null for software. */
  readonly device: RungDevice | null;
  /** Takes over where the device fails in the middle of its work; null where nothing can, and for software. */
  readonly fallback: RungEncoder | null;
}

/** How the preview is encoded. */
export interface PreviewPlan {
  readonly encoder: RungEncoder;
  /** Whether there is an animated WebP besides the MP4. */
  readonly hasWebp: boolean;
}

/** A stretch of the pictures that is encoded alone, in all rungs; cut in ticks of the source's time base. */
export interface RungSpan extends Pick<SpanJob, "startTicks" | "endTicks" | "seekSeconds"> {
  /** Null where nobody knows. */
  readonly pictures: number | null;
  /** When its first picture is shown in the whole, in seconds. */
  readonly startSeconds: number;
  /** How long the last picture lasts, in ticks of a track that counts the clock's denominator; null: as long as ffmpeg takes it to. */
  readonly lastDurationTicks: number | null;
}

/** What became of pictures that a damaged recording's decoder gave other times than its packets tell. */
export interface Disorder {
  /** Times that the decoder gave and the source's list does not have, in ticks of the source, rising. */
  readonly strayTicks: readonly number[];
  /** Pictures left out, for their times fell back behind those of others. */
  readonly leftOut: number;
}

/** A package as it was planned: JSON, handed from stage to stage. */
export interface PackagePlan {
  readonly video: {
    readonly streamIndex: number;
    readonly timeBase: Ratio;
    /** When pictures are shown, in ticks of `timeBase`, rising, as `packTicks` packs them; null where only decoding tells or pictures are left out. */
    readonly packedTicks: string | null;
    /** What gives pictures that tell wrong times the right ones, before any other filter; absent from plans of older versions. */
    readonly mendingFilters?: readonly string[];
    /** Absent before they are encoded. */
    readonly disorder?: Disorder;
    /** The first picture's time: what becomes 0. */
    readonly originTicks: number;
    /** Of the pictures that are taken, on average; 0 where it is not known, absent from plans of older versions. */
    readonly framesPerSecond?: number;
    /** Filters of all rungs together, before they part, which look at neighbours, and what those need. */
    readonly contextFilters: readonly string[];
    /** What the recording's pictures are held to behind them; absent from plans of older versions. */
    readonly shape?: HeldShape;
    /** What HEVC rungs keep of the recording's high dynamic range; null: all rungs have standard range. */
    readonly highRange: HighRange | null;
    /** Filters of single pictures, for rungs of standard range. */
    readonly standardFilters: readonly string[];
  };
  /** What is encoded alone, in order. */
  readonly spans: readonly RungSpan[];
  /** What the rungs' times are counted in. */
  readonly clock: Ratio;
  /** By falling size. */
  readonly rungs: readonly Rung[];
  /** Of each codec, in the order wished. */
  readonly encoders: readonly RungEncoder[];
  /** A key picture stands at each so many pictures; null: by their times, every two seconds. */
  readonly keyPictures: number | null;
  readonly sounds: readonly SoundPlan[];
  readonly subtitles: readonly SubtitlePlan[];
  readonly segments: "single-file" | "separate" | "ts";
  /** Where players fetch the key of the media; null: they are not encrypted. */
  readonly keyUri: string | null;
  /** What the key encrypts, where there is one: segments as a whole, or the pictures and the sound within. */
  readonly encryptMethod: EncryptMethod;
  readonly thumbnails: boolean;
  readonly preview: PreviewPlan | null;
  /** From the first picture to the end of the last one. */
  readonly durationSeconds: number;
  /** Sentences for the report. */
  readonly findings: readonly string[];
}

/** What a stage of packaging is done with. */
export interface PackageHooks {
  readonly tools: FfmpegTools;
  readonly signal: AbortSignal;
  /** Hears from 0 to 1 how far the stage has come. */
  readonly onProgress: (fraction: number) => void;
}

/** A variant stream as it came out, in bit/s. */
export interface VariantReport {
  readonly name: string;
  /** Null for sound alone. */
  readonly resolution: string | null;
  readonly framesPerSecond: number | null;
  readonly codecs: readonly string[];
  readonly peakBitsPerSecond: number;
  readonly averageBitsPerSecond: number;
}

/** What came of packaging. */
export interface PackageReport {
  /** Of every rung. */
  readonly pictures: number;
  readonly durationSeconds: number;
  /** Of each codec, with its preset. */
  readonly encoder: string;
  /** In the order of the multivariant playlist. */
  readonly variants: readonly VariantReport[];
  readonly rules: { readonly passed: number; readonly mustsFailed: number; readonly shouldsFailed: number };
  readonly findings: readonly string[];
  readonly inputBytes: number;
  readonly outputBytes: number;
}

/** How long segments and groups of pictures are (Apple 7.5, 1.13). */
export const SEGMENT_SECONDS = 6;
export const KEY_FRAME_SECONDS = 2;

/** The multivariant playlist's name. */
export const MAIN_PLAYLIST = "main.m3u8";
