import { beforeAll, describe, expect, it } from "vitest";
import { createMemorySource } from "../media/bytes/byte-source.ts";
import { readFragments } from "../media/isobmff/fragments.ts";
import type { Movie } from "../media/isobmff/movie.ts";
import { boxAt, makeClip } from "./clips.fixture.ts";
import { repairSource } from "./repair-source.ts";
import { triage } from "./triage.ts";

let clip: Uint8Array;

beforeAll(() => {
  clip = makeClip("-c:v libx264 -preset ultrafast -bf 2 -c:a aac", "mp4", 1);
});

function fill(file: Uint8Array, from: number, type: string, sizeBytes: number): void {
  const view = new DataView(file.buffer, file.byteOffset, file.length);
  for (let at = from; at + sizeBytes <= file.length; at += sizeBytes) {
    view.setUint32(at, sizeBytes);
    file.set(Buffer.from(type, "latin1"), at + 4);
  }
}

describe("a hostile file", () => {
  it("may hold more boxes behind zeros than a call takes arguments", () => {
    const file = new Uint8Array(2 * 1024 * 1024);
    fill(file.subarray(0, 16), 0, "ftyp", 16);
    fill(file, 64, "free", 8);
    expect(triage(createMemorySource(file)).boxes.length).toBeGreaterThan(200_000);
  });

  it("that lists billions of samples of one size is not walked through", async () => {
    const file = clip.slice();
    const bytes = Buffer.from(file.buffer);
    bytes.writeUInt32BE(1, bytes.indexOf("stsz") + 8);
    bytes.writeUInt32BE(0xffff_ffff, bytes.indexOf("stsz") + 12);
    bytes.writeUInt32BE(0x7fff_ffff, bytes.indexOf("stsc") + 16);
    await expect(repairSource(createMemorySource(file), [])).rejects.toMatchObject({ code: "REFERENCE_REQUIRED" });
  });

  it("full of empty fragments between holes is read in one go", async () => {
    const fragmented = makeClip(
      "-c:v libx264 -preset ultrafast -c:a aac -movflags +frag_keyframe+empty_moov",
      "mp4",
      1,
    );
    const file = new Uint8Array(1024 * 1024);
    const start = boxAt(fragmented, "moof").start;
    file.set(fragmented.subarray(0, start));
    for (let at = start; at + 40 <= file.length; at += 40) {
      fill(file.subarray(at, at + 24), 0, "moof", 24);
      fill(file.subarray(at + 8, at + 24), 0, "mfhd", 16);
      file.fill(1, at + 24, at + 40);
    }
    await expect(repairSource(createMemorySource(file), [])).rejects.toMatchObject({ code: "REFERENCE_REQUIRED" });
  });

  it("whose fragments follow millions of equal samples lists no more than its bytes", () => {
    const file = makeClip("-c:v libx264 -preset ultrafast -c:a aac -movflags +frag_keyframe", "mp4", 1).slice();
    const bytes = Buffer.from(file.buffer);
    bytes.writeUInt32BE(1, bytes.indexOf("stsz") + 8);
    bytes.writeUInt32BE(0x7fff_ffff, bytes.indexOf("stsz") + 12);
    bytes.writeUInt32BE(0x7fff_ffff, bytes.indexOf("stsc") + 16);
    const source = createMemorySource(file);
    const { boxes, movies } = triage(source);
    const { tracks, findings } = readFragments(source, boxes, movies[0]?.movie as Movie);
    for (const { samples } of tracks) expect(samples.sampleCount).toBeLessThan(2 * file.length);
    expect(findings).toMatchObject([{ kind: "fragment-cut" }]);
  });

  it("with as many broken tracks and fragments as fit is given up early", async () => {
    const moov = boxAt(clip, "moov");
    const file = new Uint8Array(1024 * 1024);
    file.set(clip.subarray(0, boxAt(clip, "ftyp").end));
    const start = boxAt(clip, "ftyp").end;
    const view = new DataView(file.buffer);
    view.setUint32(start, file.length - start);
    file.set(clip.subarray(moov.start + 4, moov.start + 8 + 108), start + 4);
    fill(file, start + 8 + 108, "trak", 8);
    expect(triage(createMemorySource(file)).movies).toHaveLength(0);
    fill(file, start, "moov", 8);
    expect(triage(createMemorySource(file)).movies).toHaveLength(0);
    await expect(repairSource(createMemorySource(file), [])).rejects.toMatchObject({ code: "REFERENCE_REQUIRED" });
  });
});
