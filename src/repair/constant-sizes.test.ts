import { describe, expect, it } from "vitest";
import { createMemorySource } from "../media/bytes/byte-source.ts";
import { boxAt, compare, makeClip, packetsOf, written } from "./clips.fixture.ts";
import { repairSource } from "./repair-source.ts";

const options = (kbps: number) => `-c:v libx264 -preset ultrafast -g 30 -c:a libmp3lame -b:a ${kbps}k`;

describe("a reference whose sound packets are all of one size", () => {
  it("does not split packets of twice that size", async () => {
    const clip = makeClip(options(256), "mp4", 3);
    const reference = makeClip(options(128), "mp4", 2);
    const damaged = clip.slice(0, boxAt(clip, "moov").start);
    const references = [{ name: "reference", source: createMemorySource(reference) }];
    const outcome = await repairSource(createMemorySource(damaged), references);
    const result = compare(clip, written(damaged, outcome));
    expect(result).toMatchObject({ kept: packetsOf(clip).length, foreign: 0 });
  });
});
