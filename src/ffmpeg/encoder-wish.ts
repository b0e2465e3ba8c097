/** A codec that video can be converted to. */
export type VideoCodec = "h264" | "hevc" | "vp9" | "av1";

/** A family of hardware encoders. */
export type HardwareFamily = "nvenc" | "vaapi" | "qsv" | "videotoolbox";

/** How video is to be encoded, in terms that do not depend on the encoder found. */
export interface EncoderWish {
  readonly codec: VideoCodec;
  /**
   * Constant quality in the scale of the encoder that `speed: "standard"` stands for: 0–51 (H.264, HEVC; fractions allowed), 0–63 whole
   * (VP9, AV1); less is better. Undefined: 23 (H.264), 28 (HEVC), 30 (VP9, AV1).
   */
  readonly quality?: number | undefined;
  readonly speed: "standard" | "fast";
  /** Overrides what `speed` means: a preset's name (x264, x265, nvenc, qsv), a preset's number (SVT-AV1) or `-cpu-used` (libaom, libvpx). */
  readonly preset?: string | undefined;
  readonly bitDepth: 8 | 10;
  /** Of one picture that comes out; what `speed: "fast"` stands for may depend on it. Undefined: few. */
  readonly pixels?: number | undefined;
  /** Its shorter side: an encoder may take none of so few. Undefined: enough for all. */
  readonly shortPixels?: number | undefined;
  /** Whether AV1's tools for screens (palettes, copies within a picture) are used wherever the encoder has them; undefined: as it sees fit. */
  readonly hasScreenTools?: boolean | undefined;
  /** `auto`: the first family that works. A family that does not work is replaced by software, with a finding. */
  readonly hardware: "off" | "auto" | HardwareFamily;
  /** Whether a device that does not work goes without a finding, because nobody asked for one; default false. */
  readonly isDeviceOptional?: boolean;
}

/** An encoder that has encoded a picture on this machine, and how it is called. */
export interface EncoderChoice {
  readonly codec: VideoCodec;
  /** ffmpeg's name, such as libx264. */
  readonly encoder: string;
  readonly hardware: HardwareFamily | null;
  /** Stand before the inputs, such as `-init_hw_device`; empty for software. */
  readonly globalArguments: readonly string[];
  /** Stands at the end of the video filters: pixel format, upload to the device. */
  readonly filter: string;
  /** `-c:v …` and all its options, less the number of threads. */
  readonly arguments: readonly string[];
  /** Bounds the encoder to so many threads (≥ 1). Those of x265 and SVT-AV1 set `-x265-params` and `-svtav1-params`, which do not add up. */
  readonly threadArguments: (threads: number) => readonly string[];
  /** So many at a time keep all cores busy; Infinity: one process uses hardly more than a core, so one for each. */
  readonly usefulProcesses: number;
  /** For the report: the quality as the encoder is given it, the name of that scale (such as `-crf`), and the preset. */
  readonly settings: { readonly quality: number; readonly scale: string; readonly preset: string };
  /** Sentences for the report: devices that were tried and failed, with the reason; what was done instead. */
  readonly findings: readonly string[];
}

/** An encoder that is still to be tried. */
export interface EncoderCandidate extends Omit<EncoderChoice, "findings"> {
  /** Whether it knows the preset wished; where not, its own default stands in `settings`. */
  readonly knowsPreset: boolean;
  /** The presets that it knows; empty where it has none. */
  readonly presets: readonly string[];
}
