import type { Share } from "../learn/profile.ts";

/** A bound on when a sample decodes, from another track's clock. */
export interface TimeBound {
  /** Index of the sample, counted from the first one fitted. */
  readonly sample: number;
  /** Seconds after the first sample fitted. */
  readonly minSeconds: number;
  readonly maxSeconds: number;
}

interface State {
  readonly ticks: number;
  readonly cost: number;
  readonly step: Step | undefined;
}

interface Step {
  readonly durationTicks: number;
  readonly previous: Step | undefined;
}

const BEAM = 32;
const MAX_DURATIONS = 12;
/** What a second outside a bound costs, against −log of a duration's share. */
const COST_PER_SECOND = 400;

/**
 * Decode times in ticks for `count` samples of variable duration, from 0: the likeliest sequence of the durations that
 * the reference showed which keeps to the bounds. A beam search; deterministic.
 */
export function fitDurations(
  count: number,
  durations: readonly Share[],
  timescale: number,
  bounds: readonly TimeBound[],
): Float64Array {
  const times = new Float64Array(count);
  const choices = durations.slice(0, MAX_DURATIONS);
  const total = choices.reduce((sum, share) => sum + share.count, 0);
  const costs = choices.map((share) => -Math.log(share.count / total));
  let beam: State[] = [{ ticks: 0, cost: 0, step: undefined }];
  let bound = 0;
  for (let sample = 0; sample < count; sample++) {
    let narrowed = beam;
    for (; bounds[bound]?.sample === sample; bound++) {
      const { minSeconds, maxSeconds } = bounds[bound] as TimeBound;
      narrowed = narrowed.map((state) => {
        const seconds = state.ticks / timescale;
        const beyond = Math.max(0, minSeconds - seconds, seconds - maxSeconds);
        return beyond > 0 ? { ...state, cost: state.cost + beyond * COST_PER_SECOND } : state;
      });
    }
    if (sample === count - 1) {
      beam = narrowed;
      break;
    }
    beam = advance(narrowed, choices, costs);
  }
  let step = beam.reduce((best, state) => (state.cost < best.cost ? state : best)).step;
  const taken: number[] = [];
  for (; step; step = step.previous) taken.push(step.durationTicks);
  taken.reverse().forEach((ticks, index) => {
    times[index + 1] = (times[index] as number) + ticks;
  });
  return times;
}

function advance(beam: readonly State[], choices: readonly Share[], costs: readonly number[]): State[] {
  const best = new Map<number, State>();
  for (const state of beam) {
    choices.forEach((choice, index) => {
      const ticks = state.ticks + choice.value;
      const cost = state.cost + (costs[index] as number);
      const known = best.get(ticks);
      if (known && known.cost <= cost) return;
      best.set(ticks, { ticks, cost, step: { durationTicks: choice.value, previous: state.step } });
    });
  }
  return [...best.values()].sort((a, b) => a.cost - b.cost || a.ticks - b.ticks).slice(0, BEAM);
}
