import { describe, expect, it } from "vitest";
import { readCorpus } from "./corpus.ts";
import type { Fault } from "./fault.ts";
import type { FuzzRun } from "./fuzz-input.ts";
import { makeMutant } from "./iteration.ts";
import { Prng } from "./prng.ts";
import { runInput } from "./run-input.ts";
import { makeSeeds, type Seed } from "./seeds.ts";
import { FUZZ_TARGETS } from "./targets.ts";

const BURST_RECORDINGS = ["h264-aac", "h264-aac-fragments", "h264-pcm", "mjpeg-pcm"];
const BURST_INPUTS = 120;

function referenceOf(seeds: readonly Seed[], recording: string): Uint8Array {
  return seeds.find((seed) => seed.name === recording)?.reference ?? new Uint8Array(0);
}

async function burst(run: FuzzRun, seeds: readonly Seed[], inputs: number): Promise<string[]> {
  const faults: string[] = [];
  for (let iteration = 0; iteration < inputs; iteration++) {
    const { seed, mutant } = makeMutant(seeds, 20_26, iteration);
    const fault = await runInput(run, { bytes: mutant.bytes, reference: seed.reference });
    if (fault !== undefined) faults.push(`${seed.name} ${iteration}: ${fault.message} (${mutant.steps.join("; ")})`);
  }
  return faults;
}

describe("past failures", () => {
  const entries = readCorpus();

  it("each have a note that names a target", () => {
    const targets = FUZZ_TARGETS.map(({ name }) => name);
    for (const entry of entries) expect(targets, entry.name).toContain(entry.target);
  });

  it.each(entries.map((entry) => [entry.name, entry] as const))("stays mended: %s", async (_, entry) => {
    const target = FUZZ_TARGETS.find(({ name }) => name === entry.target);
    expect(target, `a target named ${entry.target}`).toBeDefined();
    const seeds = makeSeeds([entry.recording]);
    const input = { bytes: entry.bytes, reference: referenceOf(seeds, entry.recording) };
    const fault = await runInput((await target?.load()) as FuzzRun, input);
    expect(fault).toBeUndefined();
  });
});

describe("a short burst of mutants", () => {
  it.each(FUZZ_TARGETS.map(({ name, load }) => [name, load] as const))(
    "%s answers every one",
    async (_, load) => {
      expect(await burst(await load(), makeSeeds(BURST_RECORDINGS), BURST_INPUTS)).toEqual([]);
    },
    20_000,
  );
});

describe("the harness itself", () => {
  const seeds = makeSeeds(["h264-aac"]);

  it("makes the same mutant of the same numbers", () => {
    const first = makeMutant(seeds, 7, 123).mutant;
    const second = makeMutant(seeds, 7, 123).mutant;
    expect(second.steps).toEqual(first.steps);
    expect(Buffer.compare(second.bytes, first.bytes)).toBe(0);
  });

  it("makes different mutants of different numbers", () => {
    const steps = Array.from({ length: 50 }, (_, iteration) => makeMutant(seeds, 7, iteration).mutant.steps.join());
    expect(new Set(steps).size).toBeGreaterThan(45);
  });

  it("sees a target that throws, and lets a refusal pass", async () => {
    const input = { bytes: new Uint8Array(1), reference: new Uint8Array(1) };
    const crash: Fault | undefined = await runInput(() => {
      throw new TypeError("undefined is not a packet");
    }, input);
    expect(crash?.kind).toBe("crash");
    const { ReelmillError } = await import("../../src/base/errors.ts");
    const refusal = await runInput(() => {
      throw new ReelmillError("MEDIA_MALFORMED", "No box.");
    }, input);
    expect(refusal).toBeUndefined();
  });

  it("draws numbers evenly", () => {
    const prng = new Prng(1, 2);
    const counts = new Array<number>(8).fill(0);
    for (let draw = 0; draw < 8000; draw++) {
      const value = prng.below(8);
      counts[value] = (counts[value] ?? 0) + 1;
    }
    expect(Math.min(...counts)).toBeGreaterThan(850);
  });
});
