import { Prng } from "../../test/fuzz/prng.ts";

/** One video that is asked for. */
export interface SimulatedJob {
  readonly atSeconds: number;
  /** How long each of its tasks is worked at; any worker takes any of them. */
  readonly taskSeconds: readonly number[];
}

/** What jobs are like. */
export interface JobKind {
  readonly tasks: number;
  /** Of one task. */
  readonly medianSeconds: number;
  /** Standard deviation of the logarithm: 0.5 puts one of six above 1.65 times the median. */
  readonly spread: number;
}

const RANGE = 2 ** 32;

/** Above 0 and below 1. */
function fraction(random: Prng): number {
  return (random.u32() + 0.5) / RANGE;
}

/** Jobs that come by chance, so many an hour on average (Poisson), for so many hours; the same for the same seed. */
export function drawJobs(kind: JobKind, perHour: number, hours: number, seed: number): readonly SimulatedJob[] {
  const random = new Prng(seed, perHour, kind.tasks);
  const jobs: SimulatedJob[] = [];
  for (let atSeconds = nextGap(random, perHour); atSeconds < hours * 3600; atSeconds += nextGap(random, perHour)) {
    jobs.push({ atSeconds, taskSeconds: Array.from({ length: kind.tasks }, () => drawSeconds(kind, random)) });
  }
  return jobs;
}

function nextGap(random: Prng, perHour: number): number {
  return (-Math.log(fraction(random)) * 3600) / perHour;
}

/** Lognormal, by Box and Muller. */
function drawSeconds({ medianSeconds, spread }: JobKind, random: Prng): number {
  const radius = Math.sqrt(-2 * Math.log(fraction(random)));
  return medianSeconds * Math.exp(spread * radius * Math.cos(2 * Math.PI * fraction(random)));
}

/** Mean of what `drawJobs` draws for a whole job. */
export function meanWorkSeconds({ tasks, medianSeconds, spread }: JobKind): number {
  return tasks * medianSeconds * Math.exp(spread ** 2 / 2);
}
