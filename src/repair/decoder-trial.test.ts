import { describe, expect, it } from "vitest";
import { createMemorySource } from "../media/bytes/byte-source.ts";
import { isIntactNal } from "../media/nal/annex-b.ts";
import { planDecoderTrial, type TrialStream } from "./decoder-trial.ts";
import type { Extent } from "./extents.ts";
import { avcEntry, IDR, nalOf, PPS, SEI, SLICE, SPS, sampleOf, trackOf } from "./nal-track.fixture.ts";

/** Twelve pictures of two slices, every fourth a key picture; each has its own size. */
const PICTURES = Array.from({ length: 12 }, (_, index) => {
  const isKey = index % 4 === 0;
  const bytes = 300 + index;
  return isKey
    ? [nalOf(SEI, 5), nalOf(IDR, bytes), nalOf(IDR, bytes + 100)]
    : [nalOf(SLICE, bytes), nalOf(SLICE, bytes)];
});
const KEYS = [0, 4, 8];
const ALL = { stretches: 3, pictures: 4 };
const START_CODE = "\0\0\0\x01";

interface Given {
  readonly pictures?: readonly (readonly Uint8Array[])[];
  readonly keys?: readonly number[];
  readonly lengthSizeBytes?: number;
  readonly damage?: (startOf: (picture: number) => number) => readonly Extent[];
  readonly size?: typeof ALL;
}

function plan({ pictures = PICTURES, keys = KEYS, lengthSizeBytes = 4, damage = () => [], size = ALL }: Given) {
  const samples = pictures.map((picture) => sampleOf(picture, lengthSizeBytes));
  const startOf = (picture: number): number => samples.slice(0, picture).reduce((sum, { length }) => sum + length, 0);
  const sizes = samples.map(({ length }) => length);
  const track = trackOf(avcEntry(lengthSizeBytes), sizes, keys);
  const source = createMemorySource(Uint8Array.from(samples.flatMap((sample) => [...sample])));
  return planDecoderTrial(track, source, damage(startOf), size);
}

/** The NAL units of a stream, as text of one character per byte. */
function nalsOf(stream: TrialStream | undefined): string[] {
  const text = Buffer.concat([...(stream ?? [])]).toString("latin1");
  const [before, ...nals] = text.split(START_CODE);
  expect(before).toBe("");
  return nals;
}

const asText = (...pictures: readonly (readonly Uint8Array[])[]): string[] =>
  pictures.flat().map((nal) => Buffer.from(nal).toString("latin1"));
const SETS = asText([nalOf(SPS, 3), nalOf(PPS, 3)]);

describe("planDecoderTrial", () => {
  it.each([1, 2, 4])(
    "reads stretches from key pictures on, parameter sets first, with lengths of %d",
    (lengthSizeBytes) => {
      const small = PICTURES.map((picture) => picture.map((nal) => (lengthSizeBytes === 1 ? nal.slice(0, 200) : nal)));
      const trial = plan({ pictures: small, lengthSizeBytes, size: { stretches: 3, pictures: 2 } });
      expect(trial).toMatchObject({ format: "h264", description: "h264, 320×240" });
      const wanted = KEYS.map((key) => [...SETS, ...asText(small[key] ?? [], small[key + 1] ?? [])]);
      expect(trial?.stretches.map(nalsOf)).toEqual(wanted);
      // Streams are read anew each time.
      expect(trial?.stretches.map(nalsOf)).toEqual(wanted);
    },
  );

  it("spreads few stretches over many key pictures", () => {
    const trial = plan({ keys: [0, 4, 8], size: { stretches: 2, pictures: 1 } });
    expect(trial?.stretches.map(nalsOf)).toEqual([
      [...SETS, ...asText(PICTURES[0] ?? [])],
      [...SETS, ...asText(PICTURES[4] ?? [])],
    ]);
  });

  it("ends a stretch before damage, told or seen, and leaves out one that begins in it", () => {
    const zeroed = PICTURES.map((picture, index) =>
      index === 6 ? [picture[0]?.map((_, at) => (at > 8 && at < 90 ? 0 : 16))] : picture,
    );
    const trial = plan({
      pictures: zeroed as Uint8Array[][],
      damage: (startOf) => [
        { startOffset: startOf(2) + 5, endOffset: startOf(2) + 6 },
        { startOffset: startOf(8), endOffset: startOf(9) },
      ],
    });
    const [first, second, ...others] = trial?.stretches.map(nalsOf) ?? [];
    expect(first).toEqual([...SETS, ...asText(...PICTURES.slice(0, 2))]);
    expect(second).toEqual([...SETS, ...asText(...PICTURES.slice(4, 6))]);
    expect(others).toEqual([]);
  });

  it("alters the last bytes of the last slice alone, before its stop bit, and makes no start code", () => {
    const trial = plan({});
    const keys = nalsOf(trial?.alteredKeys).slice(SETS.length);
    expect(keys).toHaveLength(9);
    KEYS.forEach((key, index) => {
      const [sei, first, last] = keys.slice(3 * index, 3 * index + 3);
      const whole = PICTURES[key]?.[2] as Uint8Array;
      expect([sei, first]).toEqual(asText(PICTURES[key] ?? []).slice(0, 2));
      const altered = Buffer.from(last ?? "", "latin1");
      expect(isIntactNal(altered)).toBe(true);
      const changed = [...whole.keys()].filter((at) => altered[at] !== whole[at]);
      const count = Math.floor((whole.length - 1) / 64);
      expect(changed).toEqual(Array.from({ length: count }, (_, at) => whole.length - 1 - count + at));
    });
  });

  it("alters the smallest picture behind each key picture, and ends there", () => {
    const ends = plan({})?.alteredEnds.map(nalsOf) ?? [];
    expect(ends).toHaveLength(3);
    ends.forEach((nals, index) => {
      const key = KEYS[index] ?? 0;
      const whole = asText(PICTURES[key] ?? [], PICTURES[key + 1] ?? []);
      expect(nals.slice(SETS.length, -1)).toEqual(whole.slice(0, -1));
      expect(nals.at(-1)).not.toBe(whole.at(-1));
      expect(nals.at(-1)).toHaveLength(whole.at(-1)?.length ?? 0);
    });
  });

  it("alters no flat picture: it looks the same whatever its last bytes say", () => {
    const flat = PICTURES.map((picture) => picture.map((nal) => nal.slice(0, 20)));
    const trial = plan({ pictures: flat });
    expect(trial?.stretches).toHaveLength(3);
    expect([trial?.alteredKeys, trial?.alteredEnds]).toEqual([undefined, []]);
  });

  it("is undefined where no picture stands whole, and for other codecs", () => {
    const broken = PICTURES.map(() => [Uint8Array.of(IDR, 5, 0, 0, 0, 5)]);
    expect(plan({ pictures: broken })).toBeUndefined();
    const source = createMemorySource(sampleOf(PICTURES[0] ?? [], 4));
    const entry = { ...avcEntry(4), children: new Map<string, Uint8Array>() };
    expect(planDecoderTrial(trackOf(entry, [source.sizeBytes], [0]), source, [], ALL)).toBeUndefined();
    const two = { ...trackOf(avcEntry(4), [source.sizeBytes], [0]), sampleEntries: [avcEntry(4), avcEntry(4)] };
    expect(planDecoderTrial(two, source, [], ALL)).toBeUndefined();
  });
});
