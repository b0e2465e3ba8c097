import type { VopHeader } from "./vop-header.ts";

/** What a VOP tells of its time. */
export interface VopTime {
  readonly codingType: VopHeader["codingType"];
  /** Whole seconds since the time base that applies. */
  readonly moduloTimeBaseSeconds: number;
  /** 0 to `resolution` − 1. */
  readonly timeIncrementTicks: number;
  /** Ticks per second of the layer. */
  readonly resolution: number;
  /** Time code of a group-of-VOP header directly before it, in seconds; undefined without one. */
  readonly groupSeconds: number | undefined;
}

/** Follows the time bases of VOPs in decode order. */
export interface VopClock {
  /** Presentation time in ticks of the layer's resolution, from the first time base on. */
  presentationTicks(vop: VopTime): number;
  /** Whether whole seconds are sure: not after lost VOPs, until a time code that can be trusted. */
  readonly isAbsolute: boolean;
  /** VOPs were lost: seconds go on from where they stood. */
  reset(): void;
}

/** A time code may lead the time base by this much where nothing was lost. */
const MAX_STEP_SECONDS = 60;
/** A time code after lost VOPs may be this far on. */
const MAX_LOST_SECONDS = 14_400;

/**
 * Times of VOPs: reference VOPs count seconds from the reference before, B-VOPs from the one before that (ISO/IEC
 * 14496-2 §6.3.5, modulo_time_base). A group's time code sets the base (§6.3.4) once one has been seen to go along with
 * it: some encoders leave it at one value.
 */
export function createVopClock(): VopClock {
  let [previousBase, base] = [0, 0];
  let groupOrigin: number | undefined;
  let [isConfirmed, isRefuted] = [false, false];
  let isAbsolute = true;
  /** Latest B-VOP since VOPs were lost, while no reference VOP has been seen since. */
  let bidirectionalTicks: number | undefined;

  const startGroup = (groupSeconds: number): void => {
    groupOrigin ??= groupSeconds - base;
    const seconds = groupSeconds - groupOrigin;
    const mostSeconds = base + (isAbsolute ? MAX_STEP_SECONDS : MAX_LOST_SECONDS);
    if (seconds < previousBase || seconds > mostSeconds) isRefuted = true;
    else if (isAbsolute && seconds > 0) isConfirmed = true;
    if (isRefuted || !isConfirmed) return;
    previousBase = seconds;
    base = seconds;
    isAbsolute = true;
  };
  return {
    presentationTicks(vop) {
      if (vop.groupSeconds !== undefined) startGroup(vop.groupSeconds);
      const ticks = vop.moduloTimeBaseSeconds * vop.resolution + vop.timeIncrementTicks;
      if (vop.codingType === "B") {
        const presented = previousBase * vop.resolution + ticks;
        if (bidirectionalTicks !== undefined) bidirectionalTicks = Math.max(bidirectionalTicks, presented);
        return presented;
      }
      previousBase = base;
      base += vop.moduloTimeBaseSeconds;
      // The lost reference may have begun a new second, from which this one counts: it is shown after the B-VOPs.
      if (base * vop.resolution + vop.timeIncrementTicks <= (bidirectionalTicks ?? -1)) base++;
      bidirectionalTicks = undefined;
      return base * vop.resolution + vop.timeIncrementTicks;
    },
    get isAbsolute() {
      return isAbsolute;
    },
    reset() {
      previousBase = base;
      bidirectionalTicks = -1;
      isAbsolute = false;
    },
  };
}

/** Seconds that a group-of-VOP header's time code states (§6.2.4); its start code stands at `startIndex`. */
export function groupSeconds(bytes: Uint8Array, startIndex: number): number {
  const at = startIndex + 4;
  const code = ((bytes[at] ?? 0) << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);
  // 5 bits of hours, 6 of minutes, a marker, 6 of seconds.
  return ((code >>> 19) & 31) * 3600 + ((code >>> 13) & 63) * 60 + ((code >>> 6) & 63);
}
