import { type Ratio, secondsOf } from "../../ffmpeg/manifest.ts";
import { framesInBusiestSecond } from "../../media/hls/check/busiest-second.ts";

/** So many pictures per second at most (Apple 1.19). */
export const MAX_FRAMES_PER_SECOND = 60;
/** 60 Hz of a container that counts milliseconds. */
const RATE_SLACK = 0.01;
/** As much as the checker allows; a rate a little above, such as 60.2, loses single pictures. */
const LIMIT = MAX_FRAMES_PER_SECOND * 1.0005;
/** A picture so little before its turn is taken: such containers tell times that are off by half a millisecond each. */
export const TURN_SLACK_SECONDS = 0.002;
/** Steps between pictures of a constant rate are within so much of their mean; a picture that was dropped makes one of twice as much. */
const STEADY = { least: 0.5, most: 1.5 } as const;

/** Which pictures are taken, so that no more than 60 come in any second. */
export interface Thinning {
  /** Of ffmpeg; null: all are taken. */
  readonly filter: string | null;
  /** For the report; null where all are taken. */
  readonly finding: string | null;
  /** On average, of those taken; 0 where it is not known. */
  readonly framesPerSecond: number;
  /** Whether what is taken has a constant rate because every second (third, …) picture is. */
  readonly isDivided: boolean;
  /** When the pictures taken are shown. */
  readonly ticks: Float64Array;
}

/**
 * How pictures at these times, rising, are thinned: by an even divisor where the rate is constant, else by time, so that slow stretches stay as
 * they are. `meanRate` is that of all pictures, and all that is known where there are no times.
 */
export function planThinning(ticks: Float64Array, timeBase: Ratio, meanRate: number): Thinning {
  const all = { filter: null, finding: null, framesPerSecond: meanRate, isDivided: false, ticks };
  const divisor = frameDivisor(meanRate);
  const isEven = ticks.length === 0 || (meanRate / divisor <= LIMIT && isSteady(ticks, timeBase, meanRate));
  if (divisor > 1 && isEven) {
    return {
      filter: `select=not(mod(n\\,${divisor}))`,
      finding: `One picture of ${divisor} was taken: HLS allows 60 per second.`,
      framesPerSecond: meanRate / divisor,
      isDivided: true,
      ticks: ticks.filter((_at, index) => index % divisor === 0),
    };
  }
  if (meanRate <= LIMIT && !isAnywhereTooFast(ticks, timeBase)) return all;
  const isTaken = createTurns();
  const taken = ticks.filter((at) => isTaken(secondsOf(at, timeBase)));
  if (taken.length === ticks.length) return all;
  return {
    // Variable 0 is when the next turn is; a picture that is late moves all turns behind it.
    filter: `select=if(gte(t+${TURN_SLACK_SECONDS}\\,ld(0))\\,st(0\\,max(t\\,ld(0))+1/${MAX_FRAMES_PER_SECOND})\\,0)`,
    finding: "Where more than 60 pictures per second came, some were left out: HLS allows no more.",
    framesPerSecond: (meanRate * taken.length) / ticks.length,
    isDivided: false,
    ticks: taken,
  };
}

/** Of how many pictures one is taken, so that no more than 60 come per second; 1: all. */
function frameDivisor(framesPerSecond: number): number {
  return Math.max(1, Math.ceil(framesPerSecond / (MAX_FRAMES_PER_SECOND * (1 + RATE_SLACK))));
}

function isSteady(ticks: Float64Array, timeBase: Ratio, rate: number): boolean {
  return ticks.every((at, index) => {
    const steps = index === 0 ? 1 : secondsOf(at - (ticks[index - 1] as number), timeBase) * rate;
    return steps >= STEADY.least && steps <= STEADY.most;
  });
}

function isAnywhereTooFast(ticks: Float64Array, timeBase: Ratio): boolean {
  return framesInBusiestSecond(ticks.map((at) => secondsOf(at, timeBase))) > MAX_FRAMES_PER_SECOND;
}

/** As the filter does it: tells of one picture after the other whether it is taken. */
function createTurns(): (seconds: number) => boolean {
  let nextSeconds = Number.NEGATIVE_INFINITY;
  return (seconds) => {
    const isTaken = seconds + TURN_SLACK_SECONDS >= nextSeconds;
    if (isTaken) nextSeconds = Math.max(seconds, nextSeconds) + 1 / MAX_FRAMES_PER_SECOND;
    return isTaken;
  };
}
