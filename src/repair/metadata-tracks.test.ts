import { beforeAll, describe, expect, it } from "vitest";
import { createMemorySource } from "../media/bytes/byte-source.ts";
import { concatBytes, FieldWriter, serializeBox } from "../media/isobmff/box-writer.ts";
import { createTrackBoxes } from "../media/isobmff/create-track.ts";
import type { Track } from "../media/isobmff/movie.ts";
import { parseSampleEntry } from "../media/isobmff/sample-entry.ts";
import { createSampleTable } from "../media/isobmff/sample-table.fixture.ts";
import { boxAt, compare, makeClip, packetsOf, written } from "./clips.fixture.ts";
import { type ClipSample, putTogether, takeApart, withoutIndex } from "./remade-clip.fixture.ts";
import { repairSource } from "./repair-source.ts";
import { endOfTrack } from "./timing/track-ends.ts";

const RATE = 30;
const TIMESCALE = 30_000;

/** Numbers from 0 up to 1 that are the same in every run. */
type Random = () => number;

function createRandom(seed: number): Random {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return (state >>> 8) / 2 ** 24;
  };
}

function bytesOf(count: number, random: Random): Uint8Array {
  return Uint8Array.from({ length: count }, () => Math.floor(random() * 256));
}

function latin1(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, "latin1"));
}

/** A GPMF item: key, type, size of one value, how many, and the values filled up to four bytes. */
function gpmfItem(key: string, type: string, valueBytes: number, payload: Uint8Array): Uint8Array {
  const fields = new FieldWriter(8 + payload.length + 3);
  fields.fourcc(key);
  fields.u8(type.charCodeAt(0));
  fields.u8(valueBytes);
  fields.u16(payload.length / valueBytes);
  fields.bytes(payload);
  fields.zeros((4 - (payload.length % 4)) % 4);
  return fields.finish();
}

/** One device with its name, and two sensors of varying numbers of values. */
function gpmfSample(random: Random): Uint8Array {
  const sensor = (key: string, valueBytes: number, most: number): Uint8Array => {
    const values = bytesOf(valueBytes * (1 + Math.floor(random() * most)), random);
    const parts = [gpmfItem("STNM", "c", 6, latin1("Sensor")), gpmfItem(key, "s", valueBytes, values)];
    return gpmfItem("STRM", "\0", 1, concatBytes(parts));
  };
  const id = gpmfItem("DVID", "L", 4, Uint8Array.of(0, 0, 0, 1));
  const name = gpmfItem("DVNM", "c", 1, latin1("Camera"));
  return gpmfItem("DEVC", "\0", 1, concatBytes([id, name, sensor("ACCL", 6, 40), sensor("GYRO", 6, 60)]));
}

/** By turns: what the gyroscope, the accelerometer and the receiver of positions tell. */
function cammSample(random: Random, index: number): Uint8Array {
  const type = [2, 3, 2, 3, 5][index % 5] as number;
  const sample = new Uint8Array(4 + (type === 5 ? 24 : 12));
  const view = new DataView(sample.buffer);
  view.setUint16(2, type, true);
  for (let at = 4; at < sample.length; at += type === 5 ? 8 : 4) {
    if (type === 5) view.setFloat64(at, 50 + random(), true);
    else view.setFloat32(at, 20 * random() - 10, true);
  }
  return sample;
}

/** Of one size as Sony's cameras write them: a head of 28 bytes, a metadata set, and what fills it up. */
function rtmdSample(random: Random): Uint8Array {
  const sample = new Uint8Array(1024);
  sample.set([0x00, 0x1c, 0x01, 0x00]);
  sample.set([0x06, 0x0e, 0x2b, 0x34, 0x02, 0x53, 0x01, 0x01], 28);
  sample.set(bytesOf(300, random), 36);
  return sample;
}

const MEBX_KEYS = ["com.apple.quicktime.detected-face", "com.apple.quicktime.video-orientation"];

/** One value for each key: of a size that varies, and of one that does not. */
function mebxSample(random: Random): Uint8Array {
  const values = [bytesOf(20 + Math.floor(random() * 60), random), bytesOf(2, random)];
  const boxes = values.map((value, index) => {
    const fields = new FieldWriter(8 + value.length);
    fields.u32(8 + value.length);
    fields.u32(index + 1);
    fields.bytes(value);
    return fields.finish();
  });
  return concatBytes(boxes);
}

function mebxKeys(): Uint8Array {
  const keys = MEBX_KEYS.map((name, index) => {
    const declared = serializeBox("keyd", concatBytes([latin1("mdta"), latin1(name)]));
    const fields = new FieldWriter(8 + declared.length);
    fields.u32(8 + declared.length);
    fields.u32(index + 1);
    fields.bytes(declared);
    return fields.finish();
  });
  return serializeBox("keys", concatBytes(keys));
}

/** How a kind of metadata is written: one sample behind every so many pictures. */
interface MetadataKind {
  readonly format: string;
  readonly picturesPerSample: number;
  readonly makeSample: (random: Random, index: number) => Uint8Array;
  /** Of the sample entry. */
  readonly children?: Uint8Array;
}

const KINDS: readonly MetadataKind[] = [
  { format: "gpmd", picturesPerSample: 15, makeSample: gpmfSample },
  { format: "camm", picturesPerSample: 1, makeSample: cammSample },
  { format: "rtmd", picturesPerSample: 1, makeSample: rtmdSample },
  { format: "mebx", picturesPerSample: 3, makeSample: mebxSample, children: mebxKeys() },
];

/** The clip with a track of metadata, whose samples lie behind the pictures whose time they have. */
function withMetadata(clip: Uint8Array, kind: MetadataKind, seed: number): Uint8Array {
  const { ftyp, movie, samples } = takeApart(clip);
  const random = createRandom(seed);
  const head = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 1);
  const entry = serializeBox(kind.format, concatBytes([head, kind.children ?? new Uint8Array(0)]));
  const own = { trackId: movie.tracks.length + 1, handlerType: "meta", timescale: TIMESCALE };
  const track: Track = {
    ...own,
    sampleEntries: [parseSampleEntry(entry, "meta")],
    samples: createSampleTable({ offsets: [], sizes: [], durations: [] }),
    edits: [],
    boxes: createTrackBoxes(own),
  };
  let [pictures, made] = [0, 0];
  const durationTicks = (TIMESCALE / RATE) * kind.picturesPerSample;
  const mixed = samples.flatMap((sample): ClipSample[] => {
    if (sample.track !== 0 || pictures++ % kind.picturesPerSample !== 0) return [sample];
    const bytes = kind.makeSample(random, made++);
    return [sample, { track: movie.tracks.length, bytes, durationTicks, compositionTicks: 0, isSync: true }];
  });
  return putTogether({ ftyp, movie: { ...movie, tracks: [...movie.tracks, track] }, samples: mixed });
}

describe.each(KINDS)("a recording with a track of $format without its index", (kind) => {
  const options = "-c:v libx264 -preset ultrafast -g 30 -c:a aac";
  let clip: Uint8Array;
  let reference: Uint8Array;

  beforeAll(() => {
    clip = withMetadata(makeClip(options, "mp4", 3), kind, 1);
    reference = withMetadata(makeClip(options, "mp4", 2, 880), kind, 2);
  });

  const repair = async (damaged: Uint8Array): Promise<Uint8Array> => {
    const references = [{ name: "reference", source: createMemorySource(reference) }];
    return written(damaged, await repairSource(createMemorySource(damaged), references));
  };
  const metadataOf = (file: Uint8Array): string[] =>
    packetsOf(file)
      .filter(({ trackId }) => trackId === 3)
      .map(({ bytes }) => bytes);

  it("has every sample of it again, in order, at its time", async () => {
    const mended = await repair(withoutIndex(clip));
    expect(metadataOf(clip)).toHaveLength(Math.ceil((3 * RATE) / kind.picturesPerSample));
    expect(metadataOf(mended)).toEqual(metadataOf(clip));
    const { kept, foreign, worstSeconds } = compare(clip, mended);
    expect([kept, foreign]).toEqual([packetsOf(clip).length, 0]);
    expect(worstSeconds).toBeLessThan(1 / RATE);
  });

  it("has those before a cut", async () => {
    const damaged = withoutIndex(clip);
    const cut = damaged.slice(0, Math.floor(damaged.length * 0.6));
    const mended = await repair(cut);
    const found = metadataOf(mended);
    expect(found.length).toBeGreaterThan(0);
    expect(found).toEqual(metadataOf(clip).slice(0, found.length));
    let [whole, end] = [0, boxAt(clip, "mdat").start + 8];
    for (const { bytes } of takeApart(clip).samples) {
      end += bytes.length;
      if (end <= cut.length) whole++;
    }
    expect(compare(clip, mended).kept).toBe(whole);
  });

  it("ends it with the pictures, where the recording ends right behind a sample of it", async () => {
    const samples = takeApart(clip).samples.toReversed();
    const behind = samples.slice(samples.findIndex(({ track }, index) => track === 2 && index > samples.length / 3));
    const bytes = behind.reduce((sum, sample) => sum + sample.bytes.length, 0);
    const mended = await repair(withoutIndex(clip).slice(0, boxAt(clip, "mdat").start + 8 + bytes));
    const { movie } = takeApart(mended);
    const [pictures = 0, , metadata = 0] = movie.tracks.map((track) => endOfTrack(track, movie));
    expect(metadataOf(mended)).toEqual(metadataOf(clip).slice(0, metadataOf(mended).length));
    expect(Math.abs(metadata - pictures)).toBeLessThan(1.1 / RATE);
  });
});
