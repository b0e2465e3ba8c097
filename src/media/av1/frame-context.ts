import { type Av1State, relativeDistance } from "./frame-state.ts";
import type { Av1SequenceHeader } from "./sequence-header.ts";

/** The fields that steer the rest of the header, gathered while it is read. */
export interface FrameContext {
  readonly sequence: Av1SequenceHeader;
  readonly state: Av1State;
  readonly frameType: number;
  readonly isIntra: boolean;
  readonly showFrame: boolean;
  readonly showableFrame: boolean;
  readonly errorResilient: boolean;
  readonly orderHint: number;
  readonly allowIntraBlockCopy: boolean;
  readonly allowHighPrecisionMv: boolean;
  /** Seven slots named by the frame; empty for intra frames, undefined entries where the frame derives them. */
  readonly referenceSlots: readonly (number | undefined)[];
  /** 7 is none. */
  readonly primaryReference: number;
  readonly size: FrameSize;
}

/** Pixels of a frame before and after super-resolution. */
export interface FrameSize {
  readonly upscaledWidth: number;
  readonly frameWidth: number;
  readonly frameHeight: number;
}

/** Whether skip_mode_present is in the header (AV1 §5.9.22); undefined where a needed order hint is not known. */
export function isSkipModeAllowed(context: FrameContext): boolean | undefined {
  const bits = context.sequence.orderHintBits;
  if (context.isIntra || bits === 0) return false;
  let forward: number | undefined;
  let backward: number | undefined;
  const hints: number[] = [];
  for (const slot of context.referenceSlots) {
    const hint = slot === undefined ? undefined : context.state.references[slot]?.orderHint;
    if (hint === undefined) return undefined;
    hints.push(hint);
    const distance = relativeDistance(bits, hint, context.orderHint);
    if (distance < 0 && (forward === undefined || relativeDistance(bits, hint, forward) > 0)) forward = hint;
    if (distance > 0 && (backward === undefined || relativeDistance(bits, hint, backward) < 0)) backward = hint;
  }
  if (forward === undefined) return false;
  if (backward !== undefined) return true;
  const nearest = forward;
  return hints.some((hint) => relativeDistance(bits, hint, nearest) < 0);
}
