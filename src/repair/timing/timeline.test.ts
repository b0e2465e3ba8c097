import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { logWithout, type MadePacket, makeInterleaved, profileOf, SOUND, VIDEO } from "./interleaved.fixture.ts";
import { buildTimelines } from "./timeline.ts";
import type { Timeline } from "./times.ts";

const PICTURE_SECONDS = 1 / 25;
const REFERENCE = profileOf(makeInterleaved({ seconds: 6 }));

function timelinesOf(packets: readonly MadePacket[], isLost: (index: number) => boolean, profile = REFERENCE) {
  const log = logWithout(packets, isLost);
  const assigned = Uint8Array.from({ length: log.count }, (_, index) => log.family(index));
  const kept = packets.filter((_, index) => !isLost(index));
  return { timelines: buildTimelines(log, assigned, profile), kept };
}

/** By how much the packets of a track are off, in ticks: the least and the most. */
function errorsOf({ timelines, kept }: ReturnType<typeof timelinesOf>, track: number): readonly [number, number] {
  const timeline = timelines.find((candidate) => candidate.track === track) as Timeline;
  const errors = [...timeline.packets].map((packet, position) => {
    return (timeline.decodeTicks[position] as number) - (kept[packet] as MadePacket).decodeTicks;
  });
  return [Math.min(...errors), Math.max(...errors)];
}

describe("buildTimelines", () => {
  it("gives every packet its time where nothing is lost, and an end to each track", () => {
    const packets = makeInterleaved({ seconds: 10 });
    const result = timelinesOf(packets, () => false);
    expect(result.timelines.map(({ track, source }) => [track, source])).toEqual([
      [VIDEO, "constant-rate"],
      [SOUND, "packet-durations"],
    ]);
    expect([errorsOf(result, VIDEO), errorsOf(result, SOUND)]).toEqual([
      [0, 0],
      [0, 0],
    ]);
    expect(result.timelines.map(({ decodeTicks }) => decodeTicks.at(-1))).toEqual([250, 468 * 1024]);
  });

  it("keeps picture and sound in step after a hole anywhere", () => {
    const packets = makeInterleaved({ seconds: 20 });
    fc.assert(
      fc.property(
        fc.integer({ min: 30, max: packets.length - 30 }),
        fc.integer({ min: 1, max: 120 }),
        (from, length) => {
          const to = Math.min(packets.length - 20, from + length);
          const result = timelinesOf(packets, (index) => index >= from && index < to);
          expect(errorsOf(result, VIDEO)).toEqual([0, 0]);
          const [least, most] = errorsOf(result, SOUND);
          expect(Math.max(-least, most) / 48_000).toBeLessThanOrEqual(PICTURE_SECONDS);
        },
      ),
    );
  });

  it("keeps them in step after many holes: what one is off does not add up", () => {
    const packets = makeInterleaved({ seconds: 40 });
    const result = timelinesOf(packets, (index) => index % 97 > 80);
    expect(errorsOf(result, VIDEO)).toEqual([0, 0]);
    const [least, most] = errorsOf(result, SOUND);
    expect(Math.max(-least, most) / 48_000).toBeLessThanOrEqual(PICTURE_SECONDS);
  });

  it("goes by bytes where there is nothing but sound", () => {
    const packets = makeInterleaved({ seconds: 10, picturesPerRun: 0 });
    const profile = profileOf(makeInterleaved({ seconds: 5, picturesPerRun: 0 }));
    const result = timelinesOf(packets, (index) => index >= 100 && index < 140, profile);
    expect(result.timelines.map(({ track }) => track)).toEqual([SOUND]);
    expect(errorsOf(result, SOUND)).toEqual([0, 0]);
  });

  it("never runs backwards, however little is left", () => {
    const packets = makeInterleaved({ seconds: 8 });
    fc.assert(
      fc.property(fc.array(fc.boolean(), { minLength: packets.length, maxLength: packets.length }), (lost) => {
        const { timelines } = timelinesOf(packets, (index) => lost[index] === true);
        for (const { decodeTicks } of timelines) {
          for (let at = 1; at < decodeTicks.length; at++) {
            expect(decodeTicks[at]).toBeGreaterThan(decodeTicks[at - 1] as number);
          }
        }
      }),
      { numRuns: 50 },
    );
  });
});
