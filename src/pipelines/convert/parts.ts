import type { ConversionPlan } from "./conversion.ts";
import { type ConvertHooks, cutOf, encodeAudio, encodeCut } from "./work.ts";

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

const SOUND_WEIGHT = 1;

/** What a conversion encodes, in the order of the spans, sound last; empty where everything is copied. */
export function partsOf(plan: ConversionPlan): readonly PlannedPart[] {
  const { video } = plan;
  const spans = video.kind === "encode" ? video.spans : [];
  const pictures = spans.map(({ start, end, weight }, index): PlannedPart => {
    const label = spans.length === 1 ? "pictures" : `pictures ${start} to ${end - 1}`;
    return { part: { part: "span", index }, label, weight };
  });
  if (!plan.audio.some(({ kind }) => kind === "encode")) return pictures;
  return [...pictures, { part: { part: "sound" }, label: "sound", weight: SOUND_WEIGHT }];
}

/** The name of a part's file. */
export function partName(part: Part): string {
  return part.part === "sound" ? "sound.mp4" : `span-${String(part.index).padStart(5, "0")}.mp4`;
}

/** Encodes a part into a file of its own; gives the pictures that came out, null for sound. Throws as `encodeCut`. */
export async function encodePart(
  plan: ConversionPlan,
  part: Part,
  inputPath: string,
  outputPath: string,
  hooks: ConvertHooks,
): Promise<number | null> {
  const { video } = plan;
  if (part.part === "span" && video.kind === "encode") {
    const span = video.spans[part.index];
    if (span === undefined) throw new RangeError(`There is no span ${part.index}.`);
    return (await encodeCut(video, cutOf(span), inputPath, outputPath, hooks)).pictures;
  }
  await encodeAudio(plan, inputPath, outputPath, hooks);
  return null;
}
