import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ReelmillError } from "../../base/errors.ts";
import { parseElementaryStreamDescriptor } from "../aac/elementary-stream-descriptor.ts";
import { createMemorySource } from "../bytes/byte-source.ts";
import { concatBytes, serializeBox } from "./box-writer.ts";
import { createAacEntry, createPcmEntry, createVisualEntry } from "./create-entry.ts";
import { createTrackBoxes } from "./create-track.ts";
import { dumpBoxes } from "./dump.ts";
import type { Movie, SampleEntry, Track } from "./movie.ts";
import { parseMovie } from "./parse-movie.ts";
import { readMovie } from "./read-movie.ts";
import { totalDurationTicks } from "./sample-table.ts";
import { serializeMovie } from "./serialize-movie.ts";
import { scanTopLevelBoxes } from "./top-level.ts";

const VIDEO = ["-f", "lavfi", "-i", "testsrc2=s=160x120:r=25:d=0.6"];
const SOUND = ["-f", "lavfi", "-i", "sine=r=48000:d=0.6", "-ac", "2"];
const X265 = ["-x265-params", "log-level=none:pools=1"];
/** One recording, four tracks of PCM and one of ima4. */
const SOUND_KINDS = [
  ...["-map", "0", "-map", "1", "-map", "1", "-map", "1", "-map", "1"],
  ...["-c:a:0", "pcm_s24le", "-c:a:1", "pcm_s16be", "-c:a:2", "pcm_f32le", "-c:a:3", "adpcm_ima_qt"],
];
let folder = "";

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "reelmill-isobmff-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function make(name: string, args: readonly string[]): { path: string; bytes: Uint8Array; movie: Movie } {
  const path = join(folder, name);
  execFileSync("ffmpeg", ["-v", "error", "-y", ...args, "-threads", "1", path]);
  const bytes = new Uint8Array(readFileSync(path));
  return { path, bytes, movie: movieIn(bytes) };
}

function movieIn(bytes: Uint8Array): Movie {
  const source = createMemorySource(bytes);
  const moov = scanTopLevelBoxes(source).find((box) => box.type === "moov");
  if (moov === undefined) throw new Error("no moov");
  return readMovie(source, moov);
}

/** The file with its moov turned into free space and another one at the end. */
function withMovie(bytes: Uint8Array, movie: Movie, name: string): string {
  const path = join(folder, name);
  const out = concatBytes([bytes, serializeMovie(movie)]);
  const moov = scanTopLevelBoxes(createMemorySource(bytes)).find((box) => box.type === "moov");
  out.set(new TextEncoder().encode("free"), (moov?.offsetBytes ?? 0) + 4);
  writeFileSync(path, out);
  return path;
}

function child(entry: SampleEntry, type: string): Uint8Array {
  return entry.children.get(type) ?? new Uint8Array(0);
}

const packets = (path: string): string =>
  execFileSync(
    "ffprobe",
    ["-v", "error", "-show_entries", "packet=stream_index,pts,dts,duration,size,pos,flags", "-of", "csv", path],
    { encoding: "utf8" },
  );
/** Checksums of the decoded frames, without the header, which tells the pixel aspect ratio too. */
const frames = (path: string): readonly string[] =>
  execFileSync("ffmpeg", ["-v", "error", "-i", path, "-map", "0", "-c:a", "pcm_s32le", "-f", "framemd5", "-"], {
    encoding: "utf8",
  })
    .split("\n")
    .filter((line) => !line.startsWith("#"));

describe("a movie by ffmpeg", () => {
  it.each([
    ["bframes.mp4", [...VIDEO, ...SOUND, "-c:v", "libx264", "-c:a", "aac", "-shortest"]],
    ["hevc.mov", [...VIDEO, "-c:v", "libx265", ...X265, "-tag:v", "hvc1", "-movflags", "negative_cts_offsets"]],
    ["sounds.mov", [...VIDEO, ...SOUND, "-c:v", "prores_ks", "-timecode", "01:00:00:00", ...SOUND_KINDS]],
  ])("has the same packets after reading and writing: %s", (name, args) => {
    const { path, bytes, movie } = make(name, args);
    expect(movie.problems).toBeUndefined();
    expect(packets(withMovie(bytes, movie, `again-${name}`))).toBe(packets(path));
  });

  it("counts PCM by frames, whatever size the table gives them", () => {
    const { movie } = make("pcm.mov", [...SOUND, "-c:a", "pcm_s16le"]);
    const [track] = movie.tracks;
    expect(track?.samples).toMatchObject({ constantSizeBytes: 4, sampleCount: 28_800 });
    const quirk = {
      ...movie,
      tracks: movie.tracks.map((t) => ({ ...t, samples: { ...t.samples, constantSizeBytes: 1 } })),
    };
    expect(parseMovie(serializeMovie(quirk)).tracks[0]?.samples).toEqual(track?.samples);
  });

  it("groups constant-rate sound that is counted in single frames", () => {
    const { bytes, movie } = make("ima4-frames.mov", [...SOUND, "-c:a", "adpcm_ima_qt"]);
    const moov = serializeMovie(movie);
    const text = Buffer.from(moov).toString("latin1");
    const sizes = new DataView(moov.buffer, moov.byteOffset + text.indexOf("stsz") + 8);
    const [track] = movie.tracks;
    if (sizes.getUint32(0) === 1) expect(sizes.getUint32(4)).toBe((track?.samples.sampleCount ?? 0) * 64);
    expect(parseMovie(moov).tracks[0]?.samples).toEqual(track?.samples);
    expect(bytes.length).toBeGreaterThan((track?.samples.sampleCount ?? 0) * 68);
  });
});

describe("entries made from scratch", () => {
  const size = { widthPixels: 160, heightPixels: 120 };
  const pcm = { channelCount: 2, sampleRateHz: 48_000 } as const;
  const configOf = (esds: Uint8Array): Uint8Array => {
    const config = parseElementaryStreamDescriptor(esds)?.decoderSpecificInfo;
    if (config === undefined) throw new Error("The entry has no configuration.");
    return config;
  };
  const madeAs: Readonly<Record<string, (old: SampleEntry) => SampleEntry>> = {
    apch: () => createVisualEntry({ format: "apch", ...size }),
    jpeg: () => createVisualEntry({ format: "jpeg", ...size }),
    in24: () => createPcmEntry({ format: "in24", ...pcm, sampleSizeBits: 24, isLittleEndian: true }),
    twos: () => createPcmEntry({ format: "twos", ...pcm, sampleSizeBits: 16 }),
    fl32: () => createPcmEntry({ format: "lpcm", ...pcm, sampleSizeBits: 32, isLittleEndian: true, isFloat: true }),
    mp4a: (old) => createAacEntry(configOf(child(old, "esds")), 2, 48_000),
    avc1: (old) =>
      createVisualEntry({ format: "avc1", ...size, children: [{ type: "avcC", payload: child(old, "avcC") }] }),
  };
  it.each([
    ["all.mov", [...VIDEO, ...SOUND, "-c:v", "prores_ks", "-profile:v", "3", ...SOUND_KINDS]],
    ["mjpeg.mov", [...VIDEO, "-c:v", "mjpeg"]],
    ["aac.mp4", [...VIDEO, ...SOUND, "-c:v", "libx264", "-c:a", "aac"]],
  ])("decode to the same frames: %s", (name, args) => {
    const { path, bytes, movie } = make(`scratch-${name}`, args);
    const tracks = movie.tracks.map((track): Track => {
      const { trackId, handlerType, timescale } = track;
      const [old] = track.sampleEntries;
      const boxes = createTrackBoxes({ trackId, handlerType, timescale, ...size });
      const create = madeAs[old?.format ?? ""];
      return old && create ? { ...track, sampleEntries: [create(old)], boxes } : track;
    });
    expect(frames(withMovie(bytes, { ...movie, tracks }, `made-${name}`))).toEqual(frames(path));
  });
});

describe("a damaged movie", () => {
  let moov: Uint8Array;
  let movie: Movie;
  beforeAll(() => {
    const whole = make("victim.mp4", [...VIDEO, ...SOUND, "-c:v", "libx264", "-c:a", "aac", "-shortest"]);
    movie = whole.movie;
    moov = serializeMovie(movie);
  });
  const at = (fourcc: string, from = 0) => Buffer.from(moov).indexOf(fourcc, from, "latin1");

  it("loses only the track whose table lies, and says which", () => {
    const bytes = moov.slice();
    new DataView(bytes.buffer).setUint32(at("stsz") + 12, 0x7fff_ffff);
    const { tracks, problems } = parseMovie(bytes, 5000);
    expect(tracks.map((track) => track.handlerType)).toEqual(["soun"]);
    expect(problems?.[0]?.path).toBe("moov/trak");
    expect(problems?.[0]?.message).toMatch(/left out: moov\/trak\/mdia\/minf\/stbl\/stsz at byte \d+: /);
  });

  it("is an error with path and offset where no track is left", () => {
    const bytes = moov.slice();
    for (let i = at("stsd"); i >= 0; i = at("stsd", i + 1)) bytes.set([0x78], i);
    expect(() => parseMovie(bytes)).toThrow(/^moov\/trak at byte \d+: mdia\/minf\/stbl\/stsd is missing/);
    expect(() => parseMovie(serializeBox("moov"))).toThrow(/holds no tracks/);
    expect(() => parseMovie(serializeBox("free"))).toThrow(ReelmillError);
  });

  it("keeps the samples that all tables cover", () => {
    const bytes = moov.slice();
    const stts = at("stts") + 12;
    const view = new DataView(bytes.buffer);
    view.setUint32(stts, view.getUint32(stts) - 3);
    const [video] = parseMovie(bytes).tracks;
    expect(video?.samples.sampleCount).toBe(15);
    expect(totalDurationTicks(video?.samples as never)).toBe(totalDurationTicks(movie.tracks[0]?.samples as never));
  });

  it("never does worse than a ReelmillError, and what is read can be written", () => {
    const change = fc.tuple(fc.nat(moov.length - 1), fc.oneof(fc.nat(255), fc.constantFrom(0, 1, 127, 255)));
    fc.assert(
      fc.property(
        fc.array(change, { minLength: 1, maxLength: 6 }),
        fc.nat(moov.length),
        fc.boolean(),
        (changes, cut, isCut) => {
          const bytes = moov.slice(0, isCut ? cut : moov.length);
          for (const [index, value] of changes) if (index < bytes.length) bytes[index] = value;
          dumpBoxes(createMemorySource(bytes));
          let read: Movie;
          try {
            read = parseMovie(bytes);
          } catch (error) {
            expect(error).toMatchObject({ code: "MEDIA_MALFORMED" });
            return;
          }
          const again = parseMovie(serializeMovie(read));
          expect(again.tracks.map((track) => track.samples)).toEqual(read.tracks.map((track) => track.samples));
        },
      ),
      { numRuns: 400 },
    );
  });
});
