import { ReelmillError } from "../base/errors.ts";
import type { EncoderCandidate, EncoderWish, VideoCodec } from "./encoder-wish.ts";

const X26X_PRESETS: readonly string[] = [
  ...["ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow", "placebo"],
];

function numbersUpTo(last: number): readonly string[] {
  return Array.from({ length: last + 1 }, (_, index) => String(index));
}

/** What is known of one software encoder. */
interface SoftwareEncoder {
  readonly encoder: string;
  /** The option that presets go to. */
  readonly presetOption: "-preset" | "-cpu-used";
  readonly presets: readonly string[];
  /** Options besides codec, quality and preset. */
  readonly fixed: readonly string[];
  readonly usefulProcesses: number;
  /** Where threads are a parameter of the encoder's own, all such are here: a second option would take their place. */
  readonly threadArguments: (threads: number, wish: EncoderWish) => readonly string[];
}

const X264: SoftwareEncoder = {
  encoder: "libx264",
  presetOption: "-preset",
  presets: X26X_PRESETS,
  fixed: [],
  usefulProcesses: 2,
  threadArguments: (threads) => ["-threads", String(threads)],
};

const X265: SoftwareEncoder = {
  encoder: "libx265",
  presetOption: "-preset",
  presets: X26X_PRESETS,
  // Apple's players show HEVC in MP4 only under this name.
  fixed: ["-tag:v", "hvc1"],
  usefulProcesses: 2,
  // `-threads` alone bounds the frames in work; the pool has as many threads as there are cores.
  threadArguments: (threads) => ["-threads", String(threads), "-x265-params", `pools=${threads}`],
};

const VPX: SoftwareEncoder = {
  encoder: "libvpx-vp9",
  presetOption: "-cpu-used",
  presets: numbersUpTo(8),
  fixed: ["-b:v", "0"],
  usefulProcesses: Number.POSITIVE_INFINITY,
  // Without it, threads work on tile columns alone, of which a picture has one per 256 pixels of width.
  threadArguments: (threads) => ["-threads", String(threads), ...(threads > 1 ? ["-row-mt", "1"] : [])],
};

const AOM: SoftwareEncoder = {
  encoder: "libaom-av1",
  presetOption: "-cpu-used",
  presets: numbersUpTo(8),
  fixed: ["-b:v", "0"],
  usefulProcesses: Number.POSITIVE_INFINITY,
  threadArguments: (threads) => ["-threads", String(threads)],
};

const SVT: SoftwareEncoder = {
  encoder: "libsvtav1",
  presetOption: "-preset",
  presets: numbersUpTo(13),
  // The library's own distance of 5 s costs bytes in still pictures; ten seconds at the usual rates still seek well.
  fixed: ["-g", "240"],
  usefulProcesses: 1,
  threadArguments: (threads, { hasScreenTools }) => {
    const screenContent = hasScreenTools === undefined ? "" : `:scm=${Number(hasScreenTools)}`;
    return ["-svtav1-params", `lp=${threads}${screenContent}`];
  },
};

/** One way to encode a codec at a speed. */
interface SoftwarePlan {
  readonly software: SoftwareEncoder;
  readonly preset: string | undefined;
  readonly quality: (contractQuality: number) => number;
}

function plan(
  software: SoftwareEncoder,
  preset: string | undefined,
  quality: SoftwarePlan["quality"] = (value) => value,
): SoftwarePlan {
  return { software, preset, quality };
}

/** From libaom's CRF (`-cpu-used 4`) to that of SVT-AV1 whose SSIM is the same within 0.002; both whole, 0–63. Measured: docs/decisions/0014-fast-av1.md. */
function svtQuality(steps: number): SoftwarePlan["quality"] {
  return (crf) => Math.min(63, crf + steps);
}

/** Up to 1280×720 preset 6 is fast enough and the smallest; above, it takes a third of libaom's time. */
const MAX_SMALL_PIXELS = 1280 * 720;
const FAST_AV1 = plan(SVT, "6", svtQuality(2));
const FAST_LARGE_AV1 = plan(SVT, "8", svtQuality(3));

/** Of a side; SVT-AV1 takes no smaller pictures. */
const MIN_SVT_PIXELS = 64;

/** In order of preference; the second is for builds of ffmpeg that lack the first. */
function plansFor({ codec, speed, pixels = 0, shortPixels = MIN_SVT_PIXELS }: EncoderWish): readonly SoftwarePlan[] {
  const isFast = speed === "fast";
  switch (codec) {
    case "h264":
      return [plan(X264, isFast ? "faster" : "medium")];
    case "hevc":
      return [plan(X265, isFast ? "veryfast" : "medium")];
    case "vp9":
      return [plan(VPX, isFast ? "3" : undefined)];
    case "av1":
      if (!isFast) return [plan(AOM, "4")];
      if (shortPixels < MIN_SVT_PIXELS) return [plan(AOM, "8")];
      return [pixels > MAX_SMALL_PIXELS ? FAST_LARGE_AV1 : FAST_AV1, plan(AOM, "8")];
  }
}

interface QualityScale {
  readonly last: number;
  readonly isWhole: boolean;
  readonly standard: number;
}

const QUALITY_SCALES: Readonly<Record<VideoCodec, QualityScale>> = {
  h264: { last: 51, isWhole: false, standard: 23 },
  hevc: { last: 51, isWhole: false, standard: 28 },
  vp9: { last: 63, isWhole: true, standard: 30 },
  av1: { last: 63, isWhole: true, standard: 30 },
};

/** Qualities of a codec, in the scale of `EncoderWish.quality`; 0 is left out, which means lossless to some encoders. */
export interface QualityRange {
  readonly first: number;
  readonly last: number;
  /** What counts where nothing is wished. */
  readonly standard: number;
  readonly isWhole: boolean;
}

/** The qualities that may be searched. */
export function qualityRange(codec: VideoCodec): QualityRange {
  return { first: 1, ...QUALITY_SCALES[codec] };
}

/** Whether a codec has the quality, in the scale of `EncoderWish.quality`. */
export function isQualityOf(codec: VideoCodec, quality: number): boolean {
  const { last, isWhole } = QUALITY_SCALES[codec];
  return quality >= 0 && quality <= last && (!isWhole || Number.isInteger(quality));
}

/** The qualities of a codec, for a message. */
export function describeQualities(codec: VideoCodec): string {
  const { last, isWhole } = QUALITY_SCALES[codec];
  return `${isWhole ? "a whole number" : "a number"} from 0 to ${last}`;
}

/** The quality wished or the codec's default, in the scale of `EncoderWish.quality`. Throws PARAMS_INVALID when out of range. */
export function resolveQuality(wish: EncoderWish): number {
  const { codec } = wish;
  const quality = wish.quality ?? QUALITY_SCALES[codec].standard;
  if (isQualityOf(codec, quality)) return quality;
  throw new ReelmillError("PARAMS_INVALID", `quality is ${quality}; for ${codec} it is ${describeQualities(codec)}.`);
}

function candidate({ software, preset, quality }: SoftwarePlan, wish: EncoderWish): EncoderCandidate {
  const knowsPreset = wish.preset === undefined || software.presets.includes(wish.preset);
  const used = wish.preset !== undefined && knowsPreset ? wish.preset : preset;
  const crf = quality(resolveQuality(wish));
  return {
    codec: wish.codec,
    encoder: software.encoder,
    hardware: null,
    globalArguments: [],
    filter: `format=${wish.bitDepth === 10 ? "yuv420p10le" : "yuv420p"}`,
    arguments: [
      ...["-c:v", software.encoder, "-crf", String(crf), ...software.fixed],
      ...(used === undefined ? [] : [software.presetOption, used]),
    ],
    threadArguments: (threads) => software.threadArguments(threads, wish),
    usefulProcesses: software.usefulProcesses,
    settings: { quality: crf, scale: "-crf", preset: used ?? "default" },
    knowsPreset,
    presets: software.presets,
  };
}

/** The software encoders for a wish, best first. Throws PARAMS_INVALID when its quality is out of range. */
export function softwareCandidates(wish: EncoderWish): readonly EncoderCandidate[] {
  return plansFor(wish).map((entry) => candidate(entry, wish));
}
