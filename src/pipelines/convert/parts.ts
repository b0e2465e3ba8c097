import { dirname } from "node:path";
import { deviceFault } from "../../ffmpeg/device-fault.ts";
import type { ShapeChange } from "../../ffmpeg/held-shape.ts";
import { requireDecodes } from "../../ffmpeg/verify.ts";
import type { ConversionPlan, EncodedVideo } from "./conversion.ts";
import { fallBack } from "./fall-back.ts";
import { type ConvertHooks, type Cut, cutOf, encodeAudio, encodeCut } from "./work.ts";

/** What is encoded alone: a span by its index, or the sound. */
export type Part = { readonly part: "span"; readonly index: number } | { readonly part: "sound" };

/** A part, and what is to be known of it beforehand. */
export interface PlannedPart {
  readonly part: Part;
  /** For people. */
  readonly label: string;
  /** Share of the work, as `SpanPlan` has it. */
  readonly weight: number;
}

/** So many pixels of H.264 take about as long to encode as a second of a sound track; with slower encoders fewer do. */
const SOUND_SECOND_PIXELS = 400_000;

/** What a conversion encodes, in the order of the spans, sound last; empty where everything is copied. */
export function partsOf(plan: ConversionPlan): readonly PlannedPart[] {
  const { video } = plan;
  const spans = video.kind === "encode" ? video.spans : [];
  const pictures = spans.map(({ start, end, weight }, index): PlannedPart => {
    const label = spans.length === 1 ? "pictures" : `pictures ${start} to ${end - 1}`;
    return { part: { part: "span", index }, label, weight };
  });
  const tracks = plan.audio.filter(({ kind }) => kind === "encode").length;
  if (tracks === 0) return pictures;
  return [...pictures, { part: { part: "sound" }, label: "sound", weight: weighSound(plan, tracks) }];
}

/** In pictures, as spans are weighed: sound is one part, however long it is, which has to begin early where it takes long. */
function weighSound({ look, durationSeconds }: ConversionPlan, tracks: number): number {
  const secondPictures = SOUND_SECOND_PIXELS / Math.max(1, look.widthPixels * look.heightPixels);
  return Math.max(1, Math.round(tracks * (durationSeconds ?? 0) * secondPictures));
}

/** The name of a part's file. */
export function partName(part: Part): string {
  return part.part === "sound" ? "sound.mp4" : `span-${String(part.index).padStart(5, "0")}.mp4`;
}

/** What came of a part. */
export interface EncodedPart {
  /** Null for sound. */
  readonly pictures: number | null;
  /** What a device failed with, so that the encoder planned to take over made the part; null: it was made as planned. */
  readonly deviceFault: string | null;
  /** Whether what the source has there is damaged, as far as its decoder complains. */
  readonly isDamaged: boolean;
  /** What its pictures change to on the way; null: nothing, or it is sound. */
  readonly change: ShapeChange | null;
}

/** Share of a span's time that decoding takes of what was encoded. */
const CHECKING_SHARE = 0.1;

/**
 * Encodes a part into a file of its own, and decodes its pictures again where the plan wants it. A device that fails at it, or is known to
 * fail (`knownFault`), gives way to the encoder planned to take over. Throws as `encodeCut`, of the two encoders what the last one failed with.
 */
export async function encodePart(
  plan: ConversionPlan,
  part: Part,
  inputPath: string,
  outputPath: string,
  hooks: ConvertHooks,
  knownFault: string | null = null,
): Promise<EncodedPart> {
  const { video } = plan;
  if (part.part === "span" && video.kind === "encode") {
    const span = video.spans[part.index];
    if (span === undefined) throw new RangeError(`There is no span ${part.index}.`);
    return await encodeSpan(video, cutOf(span), { inputPath, outputPath }, hooks, knownFault);
  }
  const isDamaged = await encodeAudio(plan, inputPath, outputPath, hooks);
  return { pictures: null, deviceFault: null, isDamaged, change: null };
}

async function encodeSpan(
  video: EncodedVideo,
  cut: Cut,
  { inputPath, outputPath }: { readonly inputPath: string; readonly outputPath: string },
  hooks: ConvertHooks,
  knownFault: string | null,
): Promise<EncodedPart> {
  const checkingShare = video.decodesSpans ? CHECKING_SHARE : 0;
  const encode = async (by: EncodedVideo): Promise<Omit<EncodedPart, "deviceFault">> => {
    const onEncoding = (fraction: number): void => hooks.onProgress((1 - checkingShare) * fraction);
    const { pictures, isDamaged, change } = await encodeCut(by, cut, inputPath, outputPath, {
      ...hooks,
      onProgress: onEncoding,
    });
    if (video.decodesSpans && pictures > 0) {
      const onProgress = (fraction: number): void => hooks.onProgress(1 - checkingShare * (1 - fraction));
      // Its own times may be beyond what a decoder believes; only the order of its pictures matters.
      const bounds = { ignoresEdits: true, threads: by.encoder.threads, signal: hooks.signal };
      await requireDecodes(hooks.tools, outputPath, { what: "What was encoded", pictures, onProgress, ...bounds });
    }
    return { pictures, isDamaged, change };
  };
  let fault = knownFault;
  if (fault === null) {
    try {
      return { ...(await encode(video)), deviceFault: null };
    } catch (error) {
      fault = deviceFault(video.encoder, error, [dirname(inputPath), dirname(outputPath)]) ?? null;
      if (fault === null) throw error;
    }
  }
  return { ...(await encode(fallBack(video, fault).video)), deviceFault: fault };
}
