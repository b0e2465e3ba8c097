import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { logWithout, type Making, makeInterleaved, profileOf, SOUND, VIDEO } from "./interleaved.fixture.ts";
import { orderPictures } from "./presentation.ts";
import { type CountedTrack, lostBefore, type Stretch, splitStretches } from "./stretches.ts";

interface Split {
  readonly stretches: readonly Stretch[];
  /** Places of each track's packets in the log. */
  readonly places: readonly Uint32Array[];
}

function split(making: Making, isLost: (index: number) => boolean, isCounted = true): Split {
  const packets = makeInterleaved(making);
  const log = logWithout(packets, isLost);
  const places = [VIDEO, SOUND].map((track) =>
    Uint32Array.from([...new Array(log.count).keys()].filter((index) => log.family(index) === track)),
  );
  const video = places[VIDEO] as Uint32Array;
  const counted: CountedTrack = { track: VIDEO, packets: video, order: orderPictures(log, video) };
  const profile = profileOf(makeInterleaved({ ...making, seconds: 6 }));
  return { stretches: splitStretches(log, places, profile, isCounted ? counted : undefined), places };
}

const TEN_SECONDS = { seconds: 10 };
/** Pictures, 46.875 packets of sound a second: nearly three packets for each picture. */
const PACKETS_PER_SECOND = 25 + 46.875;

describe("splitStretches", () => {
  it("is one stretch where nothing is lost", () => {
    const { stretches, places } = split(TEN_SECONDS, () => false);
    const count = places.reduce((sum, { length }) => sum + length, 0);
    expect(stretches).toEqual([{ first: 0, end: count, lostSeconds: 0, onlyTrack: undefined }]);
  });

  it("says how much time each gap took, by the pictures that it lost", () => {
    fc.assert(
      fc.property(fc.integer({ min: 40, max: 400 }), fc.integer({ min: 10, max: 200 }), (from, length) => {
        const { stretches } = split(TEN_SECONDS, (index) => index >= from && index < from + length);
        expect(stretches.map(({ first }) => first)).toEqual([0, from]);
        expect(Math.abs((stretches[1]?.lostSeconds ?? 0) - length / PACKETS_PER_SECOND)).toBeLessThan(0.05);
      }),
    );
  });

  it("trusts pictures more than bytes where the bytes of a second vary", () => {
    const making = { seconds: 20, pictureBytes: (picture: number) => (picture < 250 ? 2500 : 6000) };
    const isLost = (index: number): boolean => index >= 300 && index < 329;
    const lost = (isCounted: boolean): number => split(making, isLost, isCounted).stretches[1]?.lostSeconds ?? 0;
    expect(lost(true)).toBeCloseTo(0.4, 1);
    expect(lost(false)).toBeLessThan(0.3);
  });

  it("blames the pictures alone for a gap inside a run of them", () => {
    const making = { seconds: 10, picturesPerRun: 5 };
    const packets = makeInterleaved(making);
    const isPicture = (index: number): boolean => packets[index]?.track === VIDEO;
    const inside = packets.findIndex((_, index) => index > 100 && isPicture(index - 1) && isPicture(index + 1));
    const { stretches, places } = split(making, (index) => index === inside);
    expect(stretches[1]).toMatchObject({ first: inside, onlyTrack: VIDEO });
    const [pictures, sound] = places as [Uint32Array, Uint32Array];
    const lostOf = (track: number, own: Uint32Array): number =>
      own.reduce((sum, _, position) => sum + lostBefore(stretches, track, own, position), 0);
    expect(lostOf(VIDEO, pictures)).toBeCloseTo(0.04, 5);
    expect(lostOf(SOUND, sound)).toBe(0);
  });
});

describe("lostBefore", () => {
  it("adds up the gaps between a packet and the one before it, each once", () => {
    const stretch = (first: number, lostSeconds: number): Stretch => ({
      first,
      end: 0,
      lostSeconds,
      onlyTrack: undefined,
    });
    const stretches = [stretch(0, 0), stretch(4, 1), stretch(6, 2), stretch(9, 4)];
    const packets = Uint32Array.of(2, 4, 8, 10);
    expect([0, 1, 2, 3].map((position) => lostBefore(stretches, VIDEO, packets, position))).toEqual([0, 1, 2, 4]);
  });
});
