import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { PacketLog } from "../scan/packet-log.ts";
import { logOf, makePictures, type Picture } from "./pictures.fixture.ts";
import { orderPictures } from "./presentation.ts";

const MODULUS = 64;

function orderOf(pictures: readonly Picture[], lostFrom = 0, lostTo = 0): ReturnType<typeof orderPictures> {
  const log = logOf(pictures, lostFrom, lostTo, MODULUS);
  return orderPictures(log, picturesOf(log));
}

/** Places of the pictures in the log: all behind the first entry. */
function picturesOf(log: PacketLog): Uint32Array {
  return Uint32Array.from({ length: log.count - 1 }, (_, index) => index + 1);
}

function displaysOf(pictures: readonly Picture[], lostFrom = 0, lostTo = 0): number[] {
  return pictures.filter((_, index) => index < lostFrom || index >= lostTo).map(({ display }) => display);
}

describe("orderPictures", () => {
  it("puts reordered pictures where they are shown", () => {
    const pictures = makePictures(120, 30, 2);
    expect([...orderOf(pictures).displayIndexes]).toEqual(displaysOf(pictures));
  });

  it("keeps the place and the decode time of every picture after a gap inside a sequence", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 3 }),
        fc.integer({ min: 20, max: 25 }),
        fc.integer({ min: 1, max: 20 }),
        (depth, from, length) => {
          const pictures = makePictures(300, 50, depth);
          const [lostFrom, lostTo] = [100 + from, 100 + from + length];
          const order = orderOf(pictures, lostFrom, lostTo);
          expect([...order.displayIndexes]).toEqual(displaysOf(pictures, lostFrom, lostTo));
          expect([...order.decodeIndexes]).toEqual(
            pictures.flatMap((_, index) => (index < lostFrom || index >= lostTo ? [index] : [])),
          );
        },
      ),
    );
  });

  it("counts what a gap across a sequence start lost by the length that sequences have", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10 }), fc.integer({ min: 1, max: 10 }), (before, after) => {
        const pictures = makePictures(400, 50, 2);
        const order = orderOf(pictures, 200 - before, 200 + after);
        expect([...order.displayIndexes]).toEqual(displaysOf(pictures, 200 - before, 200 + after));
      }),
    );
  });

  it("counts by key frames where no order is told", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 12 }), fc.integer({ min: 1, max: 12 }), (before, after) => {
        const pictures = makePictures(300, 60, 0, false);
        const order = orderOf(pictures, 180 - before, 180 + after);
        expect([...order.displayIndexes]).toEqual(displaysOf(pictures, 180 - before, 180 + after));
      }),
    );
  });

  it("counts what was lost before the first picture", () => {
    const pictures = makePictures(250, 50, 2);
    const order = orderOf(pictures, 0, 50);
    expect([...order.displayIndexes]).toEqual(displaysOf(pictures, 0, 50));
    expect([...order.decodeIndexes]).toEqual(Array.from({ length: 200 }, (_, index) => index + 50));
  });

  it("refuses a sequence longer than any other: its start was lost", () => {
    const pictures = makePictures(400, 40, 0);
    // Counts known modulo 32 pictures: the fourth one after the lost key frame might be the 36th of the sequence before.
    const order = orderOf(pictures, 192, 204);
    expect(order.displayIndexes[192]).toBe(204);
  });

  it("knows where a sequence ends whose counts wrapped at a gap", () => {
    // Picture 38 of the second sequence is lost, behind which counts say 7 for 39, and then the sequence's end.
    const pictures = makePictures(200, 50, 0).map((picture, index) => ({ ...picture, isLost: index === 88 }));
    expect([...orderOf(pictures, 97, 100).displayIndexes]).toEqual(
      displaysOf(pictures, 97, 100).filter((display) => display !== 88),
    );
  });

  it("puts a picture without a count beside its neighbours", () => {
    const pictures = makePictures(100, 100, 0).map((picture, index) =>
      index === 60 || index === 61 ? { ...picture, poc: undefined } : picture,
    );
    expect([...orderOf(pictures, 50, 60).displayIndexes]).toEqual(displaysOf(pictures, 50, 60));
  });

  it("takes the order of pictures where counts leave places free", () => {
    const pictures = makePictures(60, 60, 0).map((picture, index) => ({ ...picture, poc: index * index }));
    expect([...orderOf(pictures).displayIndexes]).toEqual(displaysOf(pictures));
  });

  it("trusts counts that are sure again over bytes", () => {
    const pictures = makePictures(200, 200, 0).map((picture, index) => ({
      ...picture,
      // One huge picture is lost: by its bytes, the gap would hold dozens.
      sizeBytes: index === 60 ? 300_000 : picture.sizeBytes,
    }));
    const log = logOf(pictures, 60, 62, MODULUS, 80);
    const order = orderPictures(log, picturesOf(log));
    expect([...order.displayIndexes]).toEqual(displaysOf(pictures, 60, 62));
  });
});
