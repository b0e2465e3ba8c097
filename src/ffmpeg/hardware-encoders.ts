import type { EncoderCandidate, EncoderWish, HardwareFamily, VideoCodec } from "./encoder-wish.ts";
import { resolveQuality } from "./software-encoders.ts";

/** Order of trial where any family will do. */
export const HARDWARE_ORDER: readonly HardwareFamily[] = ["nvenc", "videotoolbox", "qsv", "vaapi"];

/** Whether quality counts in H.264's quantizers (0–51, as CRF does there) or in the 0–63 of VP9 and AV1. */
function countsTo51(codec: VideoCodec): boolean {
  return codec === "h264" || codec === "hevc";
}

function bounded(value: number, first: number, last: number): number {
  return Math.min(last, Math.max(first, Math.round(value)));
}

/**
 * A CRF (`EncoderWish.quality`) as quantizer index 0–255 of VP9 and AV1 (VP9 bitstream specification §8.6.1): libvpx and libaom
 * spread their 0–63 over it about evenly.
 */
function quantizerIndex(crf: number): number {
  return bounded((crf * 255) / 63, 1, 255);
}

/** What a family's encoders are given. */
interface HardwarePlan {
  readonly globalArguments: readonly string[];
  readonly filter: string;
  /** The option of constant quality, its value, and what it needs beside it. */
  readonly qualityOption: string;
  readonly quality: number;
  readonly modeArguments: readonly string[];
  /** By speed; undefined where the family has none. */
  readonly preset: { readonly standard: string; readonly fast: string } | undefined;
  readonly presets: readonly string[];
}

function nvenc(crf: number, depth: 8 | 10): HardwarePlan {
  return {
    globalArguments: [],
    filter: `format=${depth === 10 ? "p010le" : "yuv420p"}`,
    qualityOption: "-cq",
    // 0 would mean "automatic".
    quality: bounded(crf, 1, 51),
    modeArguments: ["-rc", "vbr", "-b:v", "0"],
    preset: { standard: "p5", fast: "p2" },
    presets: ["p1", "p2", "p3", "p4", "p5", "p6", "p7"],
  };
}

function videotoolbox(crf: number, depth: 8 | 10, codec: VideoCodec): HardwarePlan {
  const crf51 = countsTo51(codec) ? crf : (crf * 51) / 63;
  return {
    globalArguments: [],
    filter: `format=${depth === 10 ? "p010le" : "yuv420p"}`,
    qualityOption: "-q:v",
    // From 1 (worst) to 100: 60 at CRF 23, two steps for each of CRF's.
    quality: bounded(106 - 2 * crf51, 1, 100),
    modeArguments: [],
    preset: undefined,
    presets: [],
  };
}

function qsv(crf: number, depth: 8 | 10, codec: VideoCodec): HardwarePlan {
  return {
    globalArguments: ["-init_hw_device", "qsv=reelmill"],
    filter: `format=${depth === 10 ? "p010le" : "nv12"}`,
    qualityOption: "-global_quality",
    quality: codec === "vp9" ? quantizerIndex(crf) : bounded(crf, 1, 51),
    modeArguments: [],
    preset: { standard: "medium", fast: "veryfast" },
    presets: ["veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow"],
  };
}

function vaapi(crf: number, depth: 8 | 10, codec: VideoCodec): HardwarePlan {
  return {
    // Without a path, ffmpeg takes the first render node that opens.
    globalArguments: ["-init_hw_device", "vaapi=reelmill", "-filter_hw_device", "reelmill"],
    filter: `format=${depth === 10 ? "p010le" : "nv12"},hwupload`,
    qualityOption: countsTo51(codec) ? "-qp" : "-global_quality",
    quality: countsTo51(codec) ? bounded(crf, 1, 51) : quantizerIndex(crf),
    modeArguments: ["-rc_mode", "CQP"],
    preset: undefined,
    presets: [],
  };
}

const FAMILIES = { nvenc, videotoolbox, qsv, vaapi } as const satisfies Readonly<
  Record<HardwareFamily, (crf: number, depth: 8 | 10, codec: VideoCodec) => HardwarePlan>
>;

const FORCED_KEYS = {
  nvenc: ["-rc", "vbr", "-forced-idr", "1", "-no-scenecut", "1"],
  videotoolbox: [],
  qsv: ["-forced_idr", "1"],
  vaapi: ["-rc_mode", "VBR"],
} as const satisfies Readonly<Record<HardwareFamily, readonly string[]>>;

/** What a family's H.264 encoder is given beside a bit rate, its bounds and `-g`, to set IDRs where key pictures are forced and nowhere else. */
export function forcedKeyArguments(family: HardwareFamily): readonly string[] {
  return FORCED_KEYS[family];
}

/** A family's encoder for a wish, still to be tried. Throws PARAMS_INVALID when the quality wished is out of range. */
export function hardwareCandidate(family: HardwareFamily, wish: EncoderWish): EncoderCandidate {
  const known = FAMILIES[family](resolveQuality(wish), wish.bitDepth, wish.codec);
  const { preset, presets, quality, qualityOption } = known;
  const knowsPreset = wish.preset === undefined || presets.includes(wish.preset);
  const used = wish.preset !== undefined && knowsPreset ? wish.preset : preset?.[wish.speed];
  const encoder = `${wish.codec}_${family}`;
  return {
    codec: wish.codec,
    encoder,
    hardware: family,
    globalArguments: known.globalArguments,
    filter: known.filter,
    arguments: [
      ...["-c:v", encoder, ...known.modeArguments, qualityOption, String(quality)],
      ...(used === undefined ? [] : ["-preset", used]),
      ...(wish.codec === "hevc" ? ["-tag:v", "hvc1"] : []),
    ],
    threadArguments: () => [],
    usefulProcesses: 1,
    settings: { quality, scale: qualityOption, preset: used ?? "default" },
    knowsPreset,
    presets,
  };
}
