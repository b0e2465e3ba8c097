import { beforeAll, describe, expect, it } from "vitest";
import { createMemorySource } from "../media/bytes/byte-source.ts";
import { boxAt, compare, makeClip, packetsOf, written } from "./clips.fixture.ts";
import { repairSource } from "./repair-source.ts";
import { triage } from "./triage.ts";

const OPTIONS =
  "-c:v libx264 -preset ultrafast -bf 2 -g 15 -c:a aac -movflags frag_keyframe+empty_moov+default_base_moof";
let clip: Uint8Array;
let reference: Uint8Array;

beforeAll(() => {
  clip = makeClip(OPTIONS);
  reference = makeClip(OPTIONS, "mp4", 2, 880);
});

const repair = (damaged: Uint8Array, ...references: Uint8Array[]) =>
  repairSource(
    createMemorySource(damaged),
    references.map((bytes, index) => ({ name: `r${index}`, source: createMemorySource(bytes) })),
  );

/** The last frames of the second track with the time that they play at. */
function soundOf(file: Uint8Array, last: number): unknown {
  return packetsOf(file)
    .filter(({ trackId }) => trackId === 2)
    .slice(last);
}

describe("a fragmented recording", () => {
  it("is left alone when it is whole", async () => {
    const outcome = await repair(clip);
    expect(outcome.report.diagnosis).toBe("healthy");
    expect(outcome.layout).toBeUndefined();
  });

  it("keeps every whole packet with its exact time when it is cut", async () => {
    const damaged = clip.slice(0, Math.floor(clip.length * 0.7));
    const outcome = await repair(damaged);
    const result = compare(clip, written(damaged, outcome));
    expect(outcome.report.diagnosis).toBe("fragmented");
    expect(result).toMatchObject({ foreign: 0 });
    expect(result.kept).toBeGreaterThan(packetsOf(clip).length * 0.6);
    expect(result.worstSeconds).toBeLessThan(0.001);
    expect(outcome.report.findings.map(({ kind }) => kind)).toContain("cut-packet");
  });

  it("leaves zeroed packets out and keeps the times of the others", async () => {
    const damaged = clip.slice();
    const middle = triage(createMemorySource(clip)).boxes.filter((box) => box.type === "mdat")[2];
    // From inside the first picture to the middle of a later packet.
    const start = (middle?.offsetBytes ?? 0) + 1000;
    damaged.fill(0, start, start + Math.floor((middle?.sizeBytes ?? 0) * 0.6));
    const outcome = await repair(damaged);
    const result = compare(clip, written(damaged, outcome));
    expect(result.foreign).toBe(0);
    expect(result.kept).toBeGreaterThan(packetsOf(clip).length - 40);
    expect(result.worstSeconds).toBeLessThan(0.001);
    expect(outcome.report.findings.map(({ kind }) => kind)).toContain("damaged-packet");
  });

  it("steps over a destroyed fragment", async () => {
    const damaged = clip.slice();
    const fragment = triage(createMemorySource(clip)).boxes.filter((box) => box.type === "moof")[3];
    const start = fragment?.offsetBytes ?? 0;
    damaged.fill(0, start, start + (fragment?.sizeBytes ?? 0));
    const result = compare(clip, written(damaged, await repair(damaged)));
    expect(result.foreign).toBe(0);
    expect(result.kept).toBeGreaterThan(packetsOf(clip).length * 0.8);
    expect(result.worstSeconds).toBeLessThan(0.001);
  });

  it("gives raw sound silence where a fragment is lost", async () => {
    const options = "-c:v libx264 -preset ultrafast -g 15 -c:a pcm_s16le -movflags frag_keyframe+empty_moov";
    const pcm = makeClip(options, "mov");
    const fragment = triage(createMemorySource(pcm)).boxes.filter((box) => box.type === "moof")[3];
    const damaged = pcm.slice();
    damaged.fill(0, fragment?.offsetBytes, (fragment?.offsetBytes ?? 0) + (fragment?.sizeBytes ?? 0));
    const outcome = await repair(damaged);
    const repaired = written(damaged, outcome);
    const sound = triage(createMemorySource(repaired)).movies[0]?.movie.tracks[1];
    const reported = outcome.report.tracks[1];
    // One run: every frame lasts one tick.
    expect(Array.from(sound?.samples.durationRuns ?? [])).toEqual([sound?.samples.sampleCount, 1]);
    expect(reported?.silence).toBeGreaterThan(20_000);
    expect((reported?.packets ?? 0) + (reported?.silence ?? 0)).toBe(sound?.samples.sampleCount);
    expect(soundOf(repaired, -2000)).toEqual(soundOf(pcm, -2000));
  });

  it("takes a lost configuration from a reference, fragmented or not", async () => {
    const damaged = clip.slice();
    const { start, end } = boxAt(clip, "moov");
    damaged.fill(0, start, end);
    const plain = makeClip("-c:v libx264 -preset ultrafast -bf 2 -g 15 -c:a aac", "mp4", 1);
    for (const bytes of [reference, plain]) {
      const result = compare(clip, written(damaged, await repair(damaged, bytes)));
      expect(result).toMatchObject({ foreign: 0, kept: packetsOf(clip).length });
    }
    await expect(repair(damaged)).rejects.toMatchObject({ code: "REFERENCE_REQUIRED" });
  });
});
