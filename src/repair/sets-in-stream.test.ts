import { beforeAll, describe, expect, it } from "vitest";
import { createMemorySource } from "../media/bytes/byte-source.ts";
import { parseAvcConfiguration } from "../media/h264/avc-configuration.ts";
import { createVisualEntry } from "../media/isobmff/create-entry.ts";
import type { Track } from "../media/isobmff/movie.ts";
import { compare, makeClip, packetsOf, written } from "./clips.fixture.ts";
import { sampleOf } from "./nal-track.fixture.ts";
import { putTogether, takeApart, withoutIndex } from "./remade-clip.fixture.ts";
import { repairSource } from "./repair-source.ts";

const OPTIONS = "-c:v libx264 -preset veryfast -g 15 -bf 2 -c:a aac";
const ZERO_TAIL_BYTES = 1024 * 1024;

/** The clip as `avc3`: its configuration names no parameter sets, each sync sample begins with them. */
function toAvc3(clip: Uint8Array): Uint8Array {
  const { ftyp, movie, samples } = takeApart(clip);
  const [video, ...others] = movie.tracks as [Track, ...Track[]];
  const avcC = video.sampleEntries[0]?.children.get("avcC") as Uint8Array;
  const { lengthSizeBytes, spsNals, ppsNals } = parseAvcConfiguration(avcC);
  const sets = sampleOf([...spsNals, ...ppsNals], lengthSizeBytes);
  const payload = Uint8Array.of(...avcC.subarray(0, 5), 0xe0, 0);
  const size = { widthPixels: 320, heightPixels: 240 };
  const entry = createVisualEntry({ format: "avc3", ...size, children: [{ type: "avcC", payload }] });
  return putTogether({
    ftyp,
    movie: { ...movie, tracks: [{ ...video, sampleEntries: [entry] }, ...others] },
    samples: samples.map((sample) =>
      sample.track === 0 && sample.isSync
        ? { ...sample, bytes: new Uint8Array(Buffer.concat([sets, sample.bytes])) }
        : sample,
    ),
  });
}

describe.each(["avc1", "avc3"])("a recording in %s without its index", (format) => {
  let clip: Uint8Array;
  let reference: Uint8Array;

  beforeAll(() => {
    const make = (seconds: number, tone: number): Uint8Array => {
      const made = makeClip(OPTIONS, "mp4", seconds, tone);
      return format === "avc3" ? toAvc3(made) : made;
    };
    [clip, reference] = [make(2, 440), make(1, 880)];
  });

  const repair = async (damaged: Uint8Array) => {
    const references = [{ name: "reference", source: createMemorySource(reference) }];
    const outcome = await repairSource(createMemorySource(damaged), references);
    return { outcome, result: compare(clip, written(damaged, outcome)) };
  };

  it("comes back whole", async () => {
    const damaged = withoutIndex(clip);
    const { outcome, result } = await repair(damaged);
    expect(takeApart(written(damaged, outcome)).movie.tracks[0]?.sampleEntries[0]?.format).toBe(format);
    expect(result).toMatchObject({ kept: packetsOf(clip).length, foreign: 0 });
    expect(result.worstSeconds).toBeLessThan(0.001);
  });

  it("comes back whole before a tail of zeros that was allocated and never written", async () => {
    const data = withoutIndex(clip);
    const damaged = new Uint8Array(data.length + ZERO_TAIL_BYTES);
    damaged.set(data);
    const { outcome, result } = await repair(damaged);
    expect(result).toMatchObject({ kept: packetsOf(clip).length, foreign: 0 });
    expect(result.worstSeconds).toBeLessThan(0.001);
    // What was never written is no part of the mended file.
    expect(written(damaged, outcome).length).toBeLessThan(data.length + ZERO_TAIL_BYTES / 4);
  });
});
