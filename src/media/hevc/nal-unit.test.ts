import { describe, expect, it } from "vitest";
import { detachHevcPicture, isHevcSlice } from "./nal-unit.ts";

const nal = (type: number, layer = 0, temporalId = 0): Uint8Array =>
  Uint8Array.of((type << 1) | (layer >> 5), ((layer & 31) << 3) | (temporalId + 1), type);
const [RASL, BLA, IDR, CRA, SPS, SEI] = [9, 18, 19, 21, 33, 39];

describe("isHevcSlice", () => {
  it("takes slice segments of the base layer, of every type in use", () => {
    const types = Array.from({ length: 64 }, (_, type) => type).filter((type) => isHevcSlice(nal(type)));
    expect(types).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 16, 17, 18, 19, 20, 21]);
  });

  it("takes none of other layers, with a forbidden bit or without a temporal id", () => {
    const broken = [
      nal(1, 1),
      nal(1, 32),
      Uint8Array.of(0x82, 1),
      Uint8Array.of(2, 0),
      Uint8Array.of(2),
      Uint8Array.of(),
    ];
    expect(broken.map(isHevcSlice)).toEqual([false, false, false, false, false, false]);
  });
});

describe("detachHevcPicture", () => {
  it("splices a clean random access picture in as a broken link one, and leaves the bytes given alone", () => {
    const picture = [nal(SPS), nal(CRA), nal(CRA)];
    const [sps, ...slices] = detachHevcPicture(picture) ?? [];
    expect(sps).toEqual(nal(SPS));
    expect(slices.map((slice) => [...slice])).toEqual([
      [BLA << 1, 1, CRA],
      [BLA << 1, 1, CRA],
    ]);
    expect(picture[1]).toEqual(nal(CRA));
  });

  it("leaves out pictures that need what is not there, and changes no others", () => {
    expect(detachHevcPicture([nal(SEI), nal(RASL)])).toBeUndefined();
    for (const picture of [[nal(IDR)], [nal(1)], [nal(SEI)]]) expect(detachHevcPicture(picture)).toBe(picture);
  });
});
