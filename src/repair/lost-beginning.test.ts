import { describe, expect, it } from "vitest";
import { createMemorySource } from "../media/bytes/byte-source.ts";
import { forEachSample } from "../media/isobmff/sample-table.ts";
import { boxAt, compare, makeClip, written } from "./clips.fixture.ts";
import { repairSource } from "./repair-source.ts";
import { triage } from "./triage.ts";

const OPTIONS = "-c:v libx264 -preset ultrafast -g 30 -c:a aac -b:a 96k";

/** Offsets and sizes of the samples of a kind. */
function placesOf(file: Uint8Array, handler: string): { readonly offset: number; readonly sizeBytes: number }[] {
  const track = triage(createMemorySource(file)).movies[0]?.movie.tracks.find(
    ({ handlerType }) => handlerType === handler,
  );
  if (track === undefined) throw new Error(`The file has no ${handler} track.`);
  const places: { offset: number; sizeBytes: number }[] = [];
  forEachSample(track.samples, (_sample, offset, sizeBytes) => places.push({ offset, sizeBytes }));
  return places;
}

describe("a recording whose first pictures were overwritten", () => {
  it("starts its pictures as much later, in step with the sound", async () => {
    const clip = makeClip(OPTIONS);
    const pictures = placesOf(clip, "vide");
    const sound = placesOf(clip, "soun").slice(0, 3);
    const mdat = boxAt(clip, "mdat");
    const goesOn = pictures[30]?.offset ?? 0;
    const kept = Buffer.concat(sound.map(({ offset, sizeBytes }) => clip.subarray(offset, offset + sizeBytes)));
    const damaged = clip.slice(0, boxAt(clip, "moov").start);
    damaged.fill(0, mdat.start + 8, goesOn);
    damaged.set(kept, mdat.start + 8);
    const references = [{ name: "reference", source: createMemorySource(clip) }];
    const result = written(damaged, await repairSource(createMemorySource(damaged), references));
    const { kept: found, worstSeconds } = compare(clip, result);
    expect(found).toBeGreaterThan(pictures.length - 31);
    expect(worstSeconds).toBeLessThan(1 / 30);
  });
});
