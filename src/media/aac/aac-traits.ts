import type { AacFrame } from "./aac-frame.ts";

/** How often each value of the fields that an encoder keeps to was seen in the frames of one track. */
export interface AacTraits {
  readonly frameCount: number;
  readonly fields: readonly FieldTrait[];
}

/** One field's values in the track that was learned from. */
interface FieldTrait {
  readonly read: (frame: AacFrame) => number;
  /** How many values the field could take, for values never seen. */
  readonly valueCount: number;
  readonly counts: ReadonlyMap<number, number>;
}

const FIELDS: readonly Pick<FieldTrait, "read" | "valueCount">[] = [
  { read: (frame) => frame.elementTag, valueCount: 16 },
  // Short windows have bands of their own, so the two kinds must not mix.
  { read: (frame) => frame.maxBands + (frame.windowSequence === 2 ? 64 : 0), valueCount: 64 },
  { read: (frame) => frame.windowShape, valueCount: 2 },
  { read: (frame) => (frame.hasCommonWindow ? 1 : 0), valueCount: 2 },
  { read: (frame) => (frame.hasSbr ? 1 : 0), valueCount: 2 },
];
/** Weight of the values never seen, in frames. */
const UNSEEN_WEIGHT = 0.5;

/** Counts what is typical of a healthy track's frames, so that other tracks of equal configuration can be told from it. */
export function learnAacTraits(frames: Iterable<AacFrame>): AacTraits {
  const fields = FIELDS.map((field) => ({ ...field, counts: new Map<number, number>() }));
  let frameCount = 0;
  for (const frame of frames) {
    frameCount++;
    for (const { read, counts } of fields) {
      const value = read(frame);
      counts.set(value, (counts.get(value) ?? 0) + 1);
    }
  }
  return { frameCount, fields };
}

/**
 * log2 of how much likelier a frame's fields are in the learned track than if every value were as likely; adds to
 * `evidenceBits` (which counts little of the same) and, compared between tracks, says whose frame it is. Below zero
 * for a frame unlike the track; 0 for every frame where nothing was learned.
 */
export function traitEvidenceBits(traits: AacTraits, frame: AacFrame): number {
  let bits = 0;
  for (const { read, valueCount, counts } of traits.fields) {
    const count = counts.get(read(frame)) ?? 0;
    const chance = (count + UNSEEN_WEIGHT / valueCount) / (traits.frameCount + UNSEEN_WEIGHT);
    bits += Math.log2(chance * valueCount);
  }
  return bits;
}
