import type { TimeBound } from "./variable-rate.ts";

/** A place on the line that is drawn. */
interface Point {
  readonly sample: number;
  readonly seconds: number;
}

/** Where the line may pass at one sample. */
interface Gate {
  readonly sample: number;
  readonly min: number;
  readonly max: number;
}

/** So far back the pace of the last samples is taken from. */
const PACE_SECONDS = 1;

/**
 * Decode times in seconds for `count` samples, from 0 and rising, whose pace nothing tells but the bounds (by rising
 * sample): as even as these let them be, the shortest line through them. Behind the last bound, in the run that a cut
 * ends, samples go on at the pace of those before it, without bounds at `secondsPerSample`. O(count + bounds²) at the
 * worst, nearly linear where bounds leave little room.
 */
export function paceEvenly(count: number, bounds: readonly TimeBound[], secondsPerSample: number): Float64Array {
  const line = shortestLine(gatesOf(bounds), secondsPerSample);
  const last = line.at(-1) as Point;
  const from = line.findLast(({ seconds }) => seconds <= last.seconds - PACE_SECONDS) ?? (line[0] as Point);
  const pace =
    last.sample > from.sample ? (last.seconds - from.seconds) / (last.sample - from.sample) : secondsPerSample;
  const times = new Float64Array(count);
  let next = 1;
  for (let sample = 1; sample < count; sample++) {
    while (next < line.length && (line[next] as Point).sample < sample) next++;
    const [a, b] = [line[next - 1] as Point, line[next]];
    const step = b ? (b.seconds - a.seconds) / (b.sample - a.sample) : pace;
    times[sample] = a.seconds + (sample - a.sample) * step;
  }
  return times;
}

/** One gate for each bounded sample behind the first; bounds that contradict each other meet in their middle. */
function gatesOf(bounds: readonly TimeBound[]): Gate[] {
  const gates: { sample: number; min: number; max: number }[] = [];
  for (const { sample, minSeconds, maxSeconds } of bounds) {
    if (sample <= 0) continue;
    const last = gates.at(-1);
    if (last?.sample === sample) {
      last.min = Math.max(last.min, minSeconds);
      last.max = Math.min(last.max, maxSeconds);
    } else gates.push({ sample, min: minSeconds, max: maxSeconds });
  }
  let least = 0;
  for (const gate of gates) {
    if (gate.min > gate.max) gate.min = gate.max = (gate.min + gate.max) / 2;
    least = Math.max(least, gate.min);
    gate.min = least;
    gate.max = Math.max(least, gate.max);
  }
  return gates;
}

/** From 0 at the first sample through all gates, turning only where an edge forces it; at the end as near to the usual slope as may be. */
function shortestLine(gates: readonly Gate[], usual: number): Point[] {
  const line: Point[] = [{ sample: 0, seconds: 0 }];
  let index = 0;
  while (index < gates.length) {
    const from = line.at(-1) as Point;
    const slopeTo = (seconds: number, sample: number): number => (seconds - from.seconds) / (sample - from.sample);
    let [low, high] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
    let [lowAt, highAt] = [index, index];
    let turn: { readonly at: number; readonly seconds: number } | undefined;
    let at = index;
    for (; at < gates.length && turn === undefined; at++) {
      const gate = gates[at] as Gate;
      const [least, most] = [slopeTo(gate.min, gate.sample), slopeTo(gate.max, gate.sample)];
      if (least > high) turn = { at: highAt, seconds: (gates[highAt] as Gate).max };
      else if (most < low) turn = { at: lowAt, seconds: (gates[lowAt] as Gate).min };
      else {
        if (least >= low) [low, lowAt] = [least, at];
        if (most <= high) [high, highAt] = [most, at];
      }
    }
    const end = turn?.at ?? gates.length - 1;
    const { sample } = gates[end] as Gate;
    const slope = Math.min(high, Math.max(low, usual));
    const seconds = turn?.seconds ?? from.seconds + slope * (sample - from.sample);
    line.push({ sample, seconds });
    index = end + 1;
  }
  return line;
}
