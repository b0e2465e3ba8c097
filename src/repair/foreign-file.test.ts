import { beforeAll, describe, expect, it } from "vitest";
import { createMemorySource } from "../media/bytes/byte-source.ts";
import { makeClip } from "./clips.fixture.ts";
import { foreignFileOf, isMxf } from "./foreign-file.ts";
import { withoutIndex } from "./remade-clip.fixture.ts";
import { repairSource } from "./repair-source.ts";

describe("an MXF file", () => {
  let mxf: Uint8Array;
  let reference: Uint8Array;

  beforeAll(() => {
    mxf = makeClip("-r 25 -c:v mpeg2video -c:a pcm_s16le", "mxf", 1);
    reference = makeClip("-c:v libx264 -preset ultrafast -c:a aac", "mp4", 1);
  });

  it("is told to be one that is not mended, with a reference and without", async () => {
    const refusal = { code: "INPUT_NOT_VIDEO", message: expect.stringContaining("MXF, which is not mended") };
    const references = [{ name: "reference", source: createMemorySource(reference) }];
    await expect(repairSource(createMemorySource(mxf), [])).rejects.toMatchObject(refusal);
    await expect(repairSource(createMemorySource(mxf), references)).rejects.toMatchObject(refusal);
  });

  it("is known behind a run-in, too, of which it may have less than 64 KiB", () => {
    const behind = (bytes: number): Uint8Array => new Uint8Array(Buffer.concat([new Uint8Array(bytes).fill(6), mxf]));
    expect(foreignFileOf(createMemorySource(behind(5000)))).toBe("MXF, which is not mended");
    expect(isMxf(createMemorySource(behind(65_535)))).toBe(true);
    expect(isMxf(createMemorySource(behind(65_600)))).toBe(false);
  });

  it("is not seen in others: a recording without its index, one of a few bytes", () => {
    expect(isMxf(createMemorySource(withoutIndex(reference)))).toBe(false);
    expect(isMxf(createMemorySource(mxf.subarray(0, 7)))).toBe(false);
    expect(isMxf(createMemorySource(mxf.subarray(0, 8)))).toBe(true);
  });
});
