import { ReelmillError } from "../../base/errors.ts";
import {
  chooseEncoder,
  chooseFallback,
  type EncoderChoice,
  type EncoderWish,
  encoderCandidates,
} from "../../ffmpeg/encoder-choice.ts";
import { type Ratio, secondsOf } from "../../ffmpeg/manifest.ts";
import type { FfmpegTools } from "../../ffmpeg/tools.ts";
import { type HighRange, keepsHighRange } from "./high-range.ts";
import type { Rung, RungCodec } from "./ladder.ts";
import type { HlsSettings } from "./options.ts";
import { KEY_FRAME_SECONDS, type RungEncoder } from "./packaging.ts";

/** libaom takes many times as long as SVT-AV1, too long for a whole ladder. */
const AV1_ENCODER = "libsvtav1";
const AV1_PRESETS = { standard: "6", fast: "8" } as const;
/** How long a group of pictures may last where key pictures stand by count (Apple 1.13: two seconds). */
const GROUP_SECONDS = { least: 0.75 * KEY_FRAME_SECONDS, most: KEY_FRAME_SECONDS + 0.1 } as const;

/**
 * The encoder of each codec wished, tried on this machine. A preset goes to the encoders that have it. Throws PARAMS_INVALID where none
 * has, ENCODER_MISSING, FFMPEG_MISSING, FFMPEG_FAILED, FFMPEG_TIMEOUT, ABORTED.
 */
export async function chooseRungEncoders(
  { codecs, speed, preset, hardware }: Pick<HlsSettings, "codecs" | "speed" | "preset" | "hardware">,
  highRange: HighRange | null,
  { tools, signal }: { readonly tools: FfmpegTools; readonly signal: AbortSignal },
): Promise<{ readonly encoders: readonly RungEncoder[]; readonly findings: readonly string[] }> {
  if (hardware !== "auto" && hardware !== "off" && !codecs.includes("h264")) {
    const problem = `hardware is ${hardware}, which encodes H.264 rungs alone, but codecs has ${codecs.join(", ")}.`;
    throw new ReelmillError("PARAMS_INVALID", problem);
  }
  const wishes = codecs.map((codec) => {
    const bitDepth = keepsHighRange(highRange, codec) ? 10 : 8;
    return { ...wishFor(codec, speed, preset, hardware), bitDepth } as const;
  });
  const isKnown = wishes.some((wish) => wish.preset === preset);
  const encoders: RungEncoder[] = [];
  const findings: string[] = [];
  for (const wish of wishes) {
    const { codec } = wish;
    const wished = isKnown ? wish : { ...wish, preset };
    const chosen = await chooseEncoder(tools, wished, signal);
    if (codec === "av1" && chosen.encoder !== AV1_ENCODER) {
      const problem = `AV1 rungs are encoded by ${AV1_ENCODER} alone. ${chosen.findings[0] ?? "It is not in use here."}`;
      throw new ReelmillError("ENCODER_MISSING", problem);
    }
    const fallback = chosen.hardware === null ? undefined : await chooseFallback(tools, wished, signal);
    encoders.push({
      ...describeEncoder(codec, chosen),
      fallback: fallback === undefined ? null : describeEncoder(codec, fallback),
    });
    findings.push(...chosen.findings);
  }
  return { encoders, findings };
}

function describeEncoder(
  codec: RungCodec,
  { encoder: name, settings: { preset }, hardware: family, globalArguments, filter }: EncoderChoice,
): RungEncoder {
  const device = family === null ? null : { family, globalArguments, filter };
  return { codec, name, preset, device, fallback: null };
}

/** Sides that encoders do not go below. */
const LEAST_PIXELS: Readonly<Record<RungCodec, number>> = { h264: 2, hevc: 16, av1: 64 };

/** Whether the codec's encoder takes pictures so small. */
export function isEncodable({ codec, widthPixels, heightPixels }: Rung): boolean {
  return Math.min(widthPixels, heightPixels) >= LEAST_PIXELS[codec];
}

type RungWish = EncoderWish & { readonly codec: RungCodec };

function wishFor(
  codec: RungCodec,
  speed: HlsSettings["speed"],
  preset: string | undefined,
  device: HlsSettings["hardware"],
): RungWish {
  // How good the others are at the low rates of a ladder is not known.
  const family = device === "auto" ? "nvenc" : device;
  const hardware = codec === "h264" ? family : "off";
  const own = codec === "av1" ? AV1_PRESETS[speed] : undefined;
  // Of AV1's encoders the fast one comes first at the fast speed alone.
  const isDeviceOptional = device === "auto";
  const base = { codec, speed: codec === "av1" ? "fast" : speed, bitDepth: 8, hardware, isDeviceOptional } as const;
  if (preset === undefined) return { ...base, preset: own };
  const knows = encoderCandidates({ ...base, preset }).some((candidate) => candidate.knowsPreset);
  return { ...base, preset: knows ? preset : own };
}

/**
 * Of how many pictures one is a key picture where that goes by count: two seconds of a constant rate. `ticks` are the pictures' times where
 * they are known, else `steadyRate` is the rate that a filter makes, 0 where there is none. Throws PARAMS_INVALID where the rate is not
 * constant enough.
 */
export function planKeyPictures(ticks: ArrayLike<number>, timeBase: Ratio, steadyRate: number): number {
  const secondsAt = (index: number): number => secondsOf(ticks[index] ?? 0, timeBase);
  const last = ticks.length - 1;
  const rate = steadyRate > 0 ? steadyRate : last / Math.max(secondsAt(last) - secondsAt(0), Number.EPSILON);
  const count = Math.max(1, Math.round(rate * KEY_FRAME_SECONDS));
  if (steadyRate <= 0 && last < 0) throw unsteady("the times of its pictures are not known");
  for (let index = 0; index < last; index += count) {
    const seconds = secondsAt(Math.min(last, index + count)) - secondsAt(index);
    const isShort = seconds < GROUP_SECONDS.least && index + count <= last;
    if (!isShort && seconds <= GROUP_SECONDS.most) continue;
    const found = `${count} pictures from ${secondsAt(index).toFixed(2)} s on last ${seconds.toFixed(2)} s`;
    throw unsteady(`${found}, not about two`);
  }
  return count;
}

function unsteady(why: string): ReelmillError {
  const problem = `codecs has av1, whose encoder (${AV1_ENCODER}) sets key pictures by count, so that they stand every two seconds at a constant rate alone; of this recording ${why}.`;
  return new ReelmillError("PARAMS_INVALID", problem, {
    advice: "Leave av1 out, or convert the recording to a constant rate first.",
  });
}
