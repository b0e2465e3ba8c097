import { expect, it } from "vitest";
import { parseAdtsHeader, probeAdts } from "./adts.ts";

const HEADER = Uint8Array.of(0xff, 0xf1, 0x4c, 0x80, 0x01, 0x7f, 0xfc);

it("reads an ADTS header", () => {
  expect(parseAdtsHeader(HEADER, 0)).toEqual({
    sizeBytes: 11,
    headerBytes: 7,
    objectType: 2,
    rateIndex: 3,
    channelConfiguration: 2,
    blockCount: 1,
  });
});

it("takes its size from the header and believes it more when the next header follows", () => {
  const alone = probeAdts(HEADER, 0, HEADER.length);
  expect(alone).toMatchObject({ kind: "packet", sizeBytes: 11, durationSamples: 1024 });
  const pair = Uint8Array.of(...HEADER, 1, 2, 3, 4, ...HEADER);
  const followed = probeAdts(pair, 0, pair.length);
  if (alone.kind !== "packet" || followed.kind !== "packet") throw new Error("Both must be packets.");
  expect(followed.evidenceBits).toBeGreaterThan(alone.evidenceBits);
});

it("asks for more or refuses", () => {
  expect(probeAdts(HEADER, 0, 4)).toEqual({ kind: "more", neededBytes: 7 });
  expect(probeAdts(Uint8Array.of(0x21, 0x10, 4, 0x60, 0x8c, 0x1c, 0), 0, 7)).toEqual({ kind: "no" });
});
