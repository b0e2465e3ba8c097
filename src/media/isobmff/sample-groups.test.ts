import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { openBox, openBoxes } from "./box-reader.ts";
import { concatBytes, serializeFullBox } from "./box-writer.ts";
import { boxesOfOtherSamples } from "./sample-groups.ts";
import { parseSbgp, serializeSbgp } from "./sbgp.ts";

const GROUPS = "mdia/minf/stbl/sbgp";
const DESCRIPTIONS = "mdia/minf/stbl/sgpd";

function grouping(groupingType: string, ...runs: number[]): Uint8Array {
  return serializeSbgp({ groupingType, parameter: undefined, runs: Uint32Array.from(runs) });
}

/** One description of two bytes, as ISO/IEC 14496-12 §8.9.3 has them at version 1. */
function description(groupingType: string): Uint8Array {
  const fields = [...new TextEncoder().encode(groupingType), 0, 0, 0, 2, 0, 0, 0, 1, 0xff, 0xff];
  return serializeFullBox("sgpd", 1, 0, Uint8Array.from(fields));
}

describe("sbgp", () => {
  it("is read as it was written, with a parameter and without", () => {
    const runs = fc.array(fc.nat(0xffff_ffff), { maxLength: 20 }).map((all) => Uint32Array.from([...all, ...all]));
    fc.assert(
      fc.property(runs, fc.option(fc.nat(), { nil: undefined }), (pairs, parameter) => {
        const value = { groupingType: "roll", parameter, runs: pairs };
        expect(parseSbgp(openBox(serializeSbgp(value)))).toEqual(value);
      }),
    );
  });
});

describe("boxes for other samples", () => {
  it("stretch a group that all samples are in, and keep its description", () => {
    const boxes = new Map([
      [GROUPS, grouping("roll", 200, 1, 36, 1)],
      [DESCRIPTIONS, description("roll")],
    ]);
    const others = boxesOfOtherSamples(boxes, 236, 870);
    const [stretched] = openBoxes(others.get(GROUPS) ?? new Uint8Array(0), "").map(parseSbgp);
    expect(stretched).toEqual({ groupingType: "roll", parameter: undefined, runs: Uint32Array.of(870, 1) });
    expect(others.get(DESCRIPTIONS)).toEqual(description("roll"));
  });

  it("leave out what tells one sample from another", () => {
    const boxes = new Map([
      ["tkhd", Uint8Array.of(1)],
      ["mdia/minf/dinf", Uint8Array.of(2)],
      ["mdia/minf/stbl/sdtp", serializeFullBox("sdtp", 0, 0, new Uint8Array(60))],
      ["mdia/minf/stbl/stps", serializeFullBox("stps", 0, 0, Uint8Array.of(0, 0, 0, 1, 0, 0, 0, 7))],
      [GROUPS, concatBytes([grouping("sync", 1, 1, 23, 0, 1, 1, 35, 0), grouping("roll", 59, 1)])],
      [DESCRIPTIONS, concatBytes([description("sync"), description("roll"), description("rap ")])],
    ]);
    const others = boxesOfOtherSamples(boxes, 60, 300);
    expect([...others.keys()]).toEqual(["tkhd", "mdia/minf/dinf", DESCRIPTIONS]);
    // No sample is told to be in it.
    expect(others.get(DESCRIPTIONS)).toEqual(description("rap "));
  });
});
