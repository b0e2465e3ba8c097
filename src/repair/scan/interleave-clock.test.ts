import { describe, expect, it } from "vitest";
import type { Edge } from "./edge.ts";
import { InterleaveClock } from "./interleave-clock.ts";

const VIDEO = 0;
const SOUND = 1;
const PICTURE_SECONDS = 1 / 25;
const LAG = { min: 0, max: 0.02, low: 0, high: 0.02, median: 0.01 };

function step(family: number, count = 1): Edge {
  const durationSamples = family === SOUND ? 960 : 0;
  const packet = { sizeBytes: 100, evidenceBits: 0, isSync: true, durationSamples };
  return { family, packets: new Array(count).fill(packet), endOffset: 0, scoreBits: 0 };
}

function createClock(): InterleaveClock {
  const sounds = [{ family: SOUND, sampleRateHz: 48_000, lag: LAG }];
  return new InterleaveClock({ video: VIDEO, pictureSeconds: PICTURE_SECONDS, sounds });
}

/** What speaks against a picture behind so many packets of sound. */
function bitsBehind(clock: InterleaveClock, packets: number): number {
  const { clocks } = clock.follow(clock.clocks, step(SOUND, packets));
  return clock.follow(clocks, step(VIDEO)).bits;
}

describe("InterleaveClock", () => {
  it("lets a picture come when the sound has come as far", () => {
    const clock = createClock();
    for (let turn = 0; turn < 4; turn++) {
      clock.take(step(VIDEO));
      expect(bitsBehind(clock, 2)).toBeCloseTo(0);
      expect(bitsBehind(clock, 0)).toBeLessThan(-6);
      expect(bitsBehind(clock, 5)).toBeLessThan(-6);
      expect(clock.runBits(clock.clocks)(VIDEO, SOUND, 0)).toBeLessThan(-6);
      clock.take(step(SOUND, 2));
    }
  });

  it("learns how far a recording's clocks lie apart, anew behind a gap", () => {
    const clock = createClock();
    clock.take(step(SOUND, 5));
    for (let turn = 0; turn < 10; turn++) {
      clock.take(step(VIDEO));
      clock.take(step(SOUND, 2));
    }
    clock.take(step(VIDEO));
    expect(bitsBehind(clock, 2)).toBeCloseTo(0);
    clock.reset();
    expect(bitsBehind(clock, 0)).toBe(0);
  });

  it("goes back to where it was", () => {
    const clock = createClock();
    const { state } = clock;
    clock.take(step(VIDEO, 3));
    clock.restore(state);
    expect(clock.clocks).toEqual(state.clocks);
  });

  it("forgets what pictures told that were taken back", () => {
    const clock = createClock();
    for (let turn = 0; turn < 10; turn++) {
      clock.take(step(VIDEO));
      clock.take(step(SOUND, 2));
    }
    const { state } = clock;
    for (let turn = 0; turn < 15; turn++) clock.take(step(VIDEO));
    clock.restore(state);
    expect(bitsBehind(clock, 0)).toBeCloseTo(0);
    expect(bitsBehind(clock, 15)).toBeLessThan(-6);
  });
});
