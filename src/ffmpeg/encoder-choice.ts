import { ReelmillError } from "../base/errors.ts";
import { isUnknownEncoder, tryEncoder } from "./encoder-trial.ts";
import type { EncoderCandidate, EncoderChoice, EncoderWish } from "./encoder-wish.ts";
import { listFeatures, readVersion } from "./features.ts";
import { HARDWARE_ORDER, hardwareCandidate } from "./hardware-encoders.ts";
import { softwareCandidates } from "./software-encoders.ts";
import type { FfmpegTools } from "./tools.ts";

export type { EncoderChoice, EncoderWish } from "./encoder-wish.ts";

/** The encoders that may do for a wish, in the order in which they are tried. Throws PARAMS_INVALID when its quality is out of range. */
export function encoderCandidates(wish: EncoderWish): readonly EncoderCandidate[] {
  return [...hardwareCandidates(wish), ...softwareCandidates(wish)];
}

function hardwareCandidates(wish: EncoderWish): readonly EncoderCandidate[] {
  if (wish.hardware === "off") return [];
  const families = wish.hardware === "auto" ? HARDWARE_ORDER : [wish.hardware];
  return families.map((family) => hardwareCandidate(family, wish));
}

/**
 * An encoder by its name, without trying it: one that `chooseEncoder` has found for the same wish, but for the quality. Throws PARAMS_INVALID
 * when that is out of range, RangeError when the wish leads to no such encoder.
 */
export function encoderNamed(name: string, wish: EncoderWish): EncoderCandidate {
  const found = encoderCandidates(wish).find(({ encoder }) => encoder === name);
  if (found === undefined) throw new RangeError(`${name} does not encode ${wish.codec} as wished.`);
  return found;
}

/** A preset that no candidate knows is a mistake of the user's. Throws PARAMS_INVALID. */
function checkPreset(wish: EncoderWish, candidates: readonly EncoderCandidate[]): void {
  if (candidates.some((candidate) => candidate.knowsPreset)) return;
  const known = candidates.filter(({ presets }) => presets.length > 0);
  const lists = known.map(({ encoder, presets }) => `${encoder}: ${presets.join(", ")}`).join("; ");
  const message = `preset is ${JSON.stringify(wish.preset)}, which no encoder that may be used has (${lists}).`;
  throw new ReelmillError("PARAMS_INVALID", message);
}

/** A sentence on why a candidate is passed over. */
async function describeFailure(
  tools: FfmpegTools,
  { encoder }: EncoderCandidate,
  reason: string | null,
  signal: AbortSignal,
): Promise<string> {
  if (reason !== null) return `${encoder} was tried and failed: ${reason}.`;
  return `This ffmpeg (${await readVersion(tools, signal)}) has no ${encoder}.`;
}

/** As `tryEncoder`; null where ffmpeg was built without the encoder. */
async function examine(
  tools: FfmpegTools,
  candidate: EncoderCandidate,
  signal: AbortSignal,
): Promise<string | null | undefined> {
  const reason = await tryEncoder(tools, candidate, signal);
  if (reason === undefined) return undefined;
  if (isUnknownEncoder(reason)) return null;
  // A device is opened before the encoder is looked for.
  const mayLack = candidate.globalArguments.length > 0;
  const isLacking = mayLack && !(await listFeatures(tools, "encoders", signal)).has(candidate.encoder);
  return isLacking ? null : reason;
}

function chosen(candidate: EncoderCandidate, wish: EncoderWish, failures: readonly string[]): EncoderChoice {
  const { knowsPreset, presets: _presets, ...choice } = candidate;
  const findings = [...failures];
  if (failures.length > 0) findings.push(`${candidate.encoder} is used instead.`);
  if (!knowsPreset) {
    findings.push(
      `${candidate.encoder} has no preset ${JSON.stringify(wish.preset)}; ${candidate.settings.preset} is used.`,
    );
  } else if (wish.preset !== undefined && wish.speed === "fast" && wish.codec !== "av1") {
    // Of AV1, the speed chooses the encoder besides.
    findings.push(`Preset ${wish.preset} was used in place of what speed chooses: fast changes nothing.`);
  }
  return { ...choice, findings };
}

/** What the user can do when no encoder is left. */
function missing(wish: EncoderWish, software: readonly EncoderCandidate[], failures: readonly string[]): ReelmillError {
  const names = software.map(({ encoder }) => encoder).join(" or ");
  const depth = wish.bitDepth === 10 ? " at 10 bit" : "";
  const problem = `No encoder for ${wish.codec}${depth} works here: ${failures.join(" ")}`;
  const advice = `Install an ffmpeg with ${names} (Debian/Ubuntu: apt-get install ffmpeg; macOS: brew install ffmpeg) or name another with REELMILL_FFMPEG.`;
  return new ReelmillError("ENCODER_MISSING", problem, { advice });
}

/** The first candidate that works, if one does, and what the others lacked. */
async function tryInTurn(
  tools: FfmpegTools,
  wish: EncoderWish,
  candidates: readonly EncoderCandidate[],
  signal: AbortSignal,
): Promise<{ readonly choice: EncoderChoice | undefined; readonly failures: readonly string[] }> {
  const failures: string[] = [];
  const told: string[] = [];
  for (const candidate of candidates) {
    const reason = await examine(tools, candidate, signal);
    if (reason === undefined) return { choice: chosen(candidate, wish, told), failures };
    // A family that nobody asked for by name and that this ffmpeg knows nothing of is no news.
    if (reason === null && candidate.hardware !== null && wish.hardware === "auto") continue;
    const failure = await describeFailure(tools, candidate, reason, signal);
    failures.push(failure);
    if (candidate.hardware === null || !wish.isDeviceOptional) told.push(failure);
  }
  return { choice: undefined, failures };
}

/**
 * The first encoder that fits the wish and really encodes a picture here: hardware where wished (in the order of HARDWARE_ORDER), then
 * software. Throws PARAMS_INVALID (quality or preset), ENCODER_MISSING, FFMPEG_MISSING, FFMPEG_FAILED, FFMPEG_TIMEOUT, ABORTED.
 */
export async function chooseEncoder(
  tools: FfmpegTools,
  wish: EncoderWish,
  signal: AbortSignal,
): Promise<EncoderChoice> {
  const candidates = encoderCandidates(wish);
  checkPreset(wish, candidates);
  const { choice, failures } = await tryInTurn(tools, wish, candidates, signal);
  if (choice === undefined) throw missing(wish, softwareCandidates(wish), failures);
  return choice;
}

/**
 * The software encoder that takes over where the device that `chooseEncoder` found for the same wish fails later on; undefined where none
 * works here. Throws PARAMS_INVALID (quality), FFMPEG_MISSING, FFMPEG_FAILED, FFMPEG_TIMEOUT, ABORTED.
 */
export async function chooseFallback(
  tools: FfmpegTools,
  wish: EncoderWish,
  signal: AbortSignal,
): Promise<EncoderChoice | undefined> {
  const { choice } = await tryInTurn(tools, wish, softwareCandidates(wish), signal);
  return choice;
}
