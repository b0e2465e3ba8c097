import { describe, expect, it } from "vitest";
import { createMemorySource } from "../../media/bytes/byte-source.ts";
import { openBoxes } from "../../media/isobmff/box-reader.ts";
import { parseSbgp } from "../../media/isobmff/sbgp.ts";
import { boxAt, makeClip, written } from "../clips.fixture.ts";
import { repairSource } from "../repair-source.ts";
import { triage } from "../triage.ts";

const OPTIONS = "-c:v libx264 -preset veryfast -g 30 -c:a aac";

describe("the index of a repaired file", () => {
  it("has the groups of its own samples, not the reference's", async () => {
    const clip = makeClip(OPTIONS);
    const damaged = clip.slice(0, boxAt(clip, "mdat").end);
    const references = [{ name: "r", source: createMemorySource(makeClip(OPTIONS, "mp4", 2, 880)) }];
    const repaired = written(damaged, await repairSource(createMemorySource(damaged), references));
    const [before, after] = [clip, repaired].map((bytes) => {
      const [, sound] = triage(createMemorySource(bytes)).movies[0]?.movie.tracks ?? [];
      const groups = sound?.boxes.get("mdia/minf/stbl/sbgp") ?? new Uint8Array(0);
      return { samples: sound?.samples.sampleCount, groups: openBoxes(groups, "").map(parseSbgp) };
    });
    expect(before?.groups).toHaveLength(1);
    expect(after).toEqual(before);
  });
});
