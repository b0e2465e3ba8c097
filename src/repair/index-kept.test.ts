import { beforeAll, describe, expect, it } from "vitest";
import { createMemorySource } from "../media/bytes/byte-source.ts";
import { forEachSample } from "../media/isobmff/sample-table.ts";
import { boxAt, compare, makeClip, packetsOf, written } from "./clips.fixture.ts";
import { repairSource } from "./repair-source.ts";
import { triage } from "./triage.ts";

const OPTIONS = "-c:v libx264 -preset ultrafast -bf 2 -g 30 -c:a aac";
let clip: Uint8Array;
let faststart: Uint8Array;
let reference: Uint8Array;

beforeAll(() => {
  clip = makeClip(OPTIONS);
  faststart = makeClip(`${OPTIONS} -movflags +faststart`);
  reference = makeClip(OPTIONS, "mp4", 2, 880);
});

const repair = (damaged: Uint8Array, ...references: Uint8Array[]) =>
  repairSource(
    createMemorySource(damaged),
    references.map((bytes, index) => ({ name: `r${index}`, source: createMemorySource(bytes) })),
  );

function withBoxSize(file: Uint8Array, type: string, size: number): Uint8Array {
  const changed = file.slice();
  new DataView(changed.buffer).setUint32(boxAt(file, type).start, size);
  return changed;
}

/** Packets that reach into a byte range. */
function packetsWithin(file: Uint8Array, from: number, to: number): number {
  let count = 0;
  for (const { samples } of triage(createMemorySource(file)).movies[0]?.movie.tracks ?? []) {
    forEachSample(samples, (_sample, offset, sizeBytes) => {
      if (offset < to && offset + sizeBytes > from) count++;
    });
  }
  return count;
}

/** Half of that packet is more than the few zeros in which one may end. */
function middleOfPacketAt(file: Uint8Array, at: number): number {
  let middle = at;
  for (const { samples } of triage(createMemorySource(file)).movies[0]?.movie.tracks ?? []) {
    forEachSample(samples, (_sample, offset, sizeBytes) => {
      if (offset <= at && at < offset + sizeBytes) middle = offset + (sizeBytes >> 1);
    });
  }
  return middle;
}

describe("a file with its index", () => {
  it("is healthy when every sample stands where the index says", async () => {
    for (const file of [clip, faststart]) expect((await repair(file)).report.diagnosis).toBe("healthy");
  });

  it("cut short behind its index keeps what is left, times exact", async () => {
    const damaged = faststart.slice(0, Math.floor(faststart.length * 0.6));
    const outcome = await repair(damaged);
    const result = compare(faststart, written(damaged, outcome));
    expect(outcome.report.diagnosis).toBe("index-cut");
    expect(result.foreign).toBe(0);
    expect(result.kept).toBeGreaterThan(packetsOf(faststart).length * 0.4);
    expect(result.worstSeconds).toBeLessThan(0.001);
  });

  it("is cut where zeros stand for coded sound alone", async () => {
    const sound = makeClip("-map 1:a -map 1:a -c:a aac -movflags +faststart");
    const damaged = sound.slice().fill(0, middleOfPacketAt(sound, Math.floor(sound.length * 0.6)));
    const outcome = await repair(damaged);
    expect(outcome.report.diagnosis).toBe("index-cut");
    expect(compare(sound, written(damaged, outcome))).toMatchObject({ foreign: 0, worstSeconds: 0 });
  });

  it("whose data hold zeros loses the packets in them alone, times exact", async () => {
    for (const file of [clip, faststart]) {
      const damaged = file.slice();
      const start = boxAt(file, "mdat").start + 30_000;
      damaged.fill(0, start, start + 40_000);
      const outcome = await repair(damaged);
      const result = compare(file, written(damaged, outcome));
      expect(outcome.report.diagnosis).toBe("index-holed");
      expect(outcome.report.findings).toMatchObject([{ kind: "damaged-packet" }]);
      expect(result).toMatchObject({ foreign: 0, worstSeconds: 0 });
      expect(result.kept).toBe(packetsOf(file).length - packetsWithin(file, start, start + 40_000));
    }
  });

  it("is healthy when only raw sound is silent", async () => {
    const silent = makeClip("-c:v libx264 -preset ultrafast -g 30 -af volume=0 -c:a pcm_s16le", "mov");
    expect((await repair(silent)).report.diagnosis).toBe("healthy");
  });

  it("whose index a wrong mdat size hides is written anew", async () => {
    for (const size of [0, 8, 5000, clip.length * 2]) {
      const damaged = withBoxSize(clip, "mdat", size);
      const outcome = await repair(damaged);
      expect(outcome.report.diagnosis).toBe("index-hidden");
      const result = compare(clip, written(damaged, outcome));
      expect(result).toMatchObject({ kept: packetsOf(clip).length, foreign: 0, worstSeconds: 0 });
    }
  });

  it("takes the index that fits of several", async () => {
    const { start, end } = boxAt(reference, "moov");
    const mdat = boxAt(clip, "mdat");
    const foreign = reference.subarray(start, end);
    const damaged = new Uint8Array(Buffer.concat([clip.subarray(0, mdat.end), foreign, clip.subarray(mdat.end)]));
    const outcome = await repair(damaged);
    expect(compare(clip, written(damaged, outcome))).toMatchObject({ kept: packetsOf(clip).length, foreign: 0 });
  });

  it("is scanned with its own configuration where the index is another recording's", async () => {
    const { start, end } = boxAt(reference, "moov");
    const damaged = new Uint8Array(
      Buffer.concat([clip.subarray(0, boxAt(clip, "mdat").end), reference.subarray(start, end)]),
    );
    const outcome = await repair(damaged);
    expect(outcome.report.diagnosis).toBe("no-index");
    expect(compare(clip, written(damaged, outcome))).toMatchObject({ kept: packetsOf(clip).length, foreign: 0 });
  });
});

describe("a file without its index", () => {
  it("is scanned within the right bytes whatever the mdat's size says", async () => {
    const { start, end } = boxAt(clip, "moov");
    const zeroed = clip.slice().fill(0, start, end);
    const headless = clip.slice(0, start).fill(0, 0, boxAt(clip, "mdat").start + 8);
    const cut = clip.slice(0, start);
    const front = boxAt(faststart, "moov");
    const zeroedFront = faststart.slice().fill(0, front.start, front.end);
    const sizes = [0, 8, 5000, clip.length * 2].map((size) => withBoxSize(cut, "mdat", size));
    for (const damaged of [zeroed, headless, zeroedFront, ...sizes]) {
      const outcome = await repair(damaged, reference);
      const result = compare(clip, written(damaged, outcome));
      expect(result).toMatchObject({ kept: packetsOf(clip).length, foreign: 0 });
    }
  });
});
