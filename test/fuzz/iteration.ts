import { type Mutant, mutate } from "./mutate.ts";
import { Prng } from "./prng.ts";
import type { Seed } from "./seeds.ts";

/** The input of one iteration; the same for the same seeds and numbers, in whichever thread it is made. */
export function makeMutant(
  seeds: readonly Seed[],
  randomSeed: number,
  iteration: number,
): { readonly seed: Seed; readonly mutant: Mutant } {
  const prng = new Prng(randomSeed, iteration);
  const seed = prng.pick(seeds);
  const donors = [prng.pick(seeds).bytes, prng.pick(seeds).bytes];
  return { seed, mutant: mutate(seed.bytes, donors, prng) };
}
