import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createMemorySource } from "../bytes/byte-source.ts";
import { ByteWindow } from "../bytes/byte-window.ts";
import { parseAvcConfiguration } from "../h264/avc-configuration.ts";
import { AvcParameterSets } from "../h264/parameter-sets.ts";
import { createAvcPocDecoder } from "../h264/poc.ts";
import { maxAvcReorderFrames } from "../h264/reorder.ts";
import { probeAvcSample } from "../h264/sample-probe.ts";
import { probeAvcStart } from "../h264/start-probe.ts";
import { parseHevcConfiguration } from "../hevc/hevc-configuration.ts";
import { HevcParameterSets } from "../hevc/parameter-sets.ts";
import { createHevcPocDecoder } from "../hevc/poc.ts";
import { probeHevcSample } from "../hevc/sample-probe.ts";
import { probeHevcStart } from "../hevc/start-probe.ts";

const run = promisify(execFile);

/** A packet as ffprobe reads it from the sample table. */
interface Packet {
  readonly position: number;
  readonly sizeBytes: number;
  readonly pts: number;
  readonly isKey: boolean;
}

/** What a codec's probes said of a packet. */
interface Reading {
  readonly sizeBytes: number | string;
  readonly startEvidenceBits: number;
  readonly isSync: boolean;
  readonly sequence: number;
  readonly poc: number;
}

const AVC_VARIANTS: Readonly<Record<string, readonly string[]>> = {
  "B-frames, pyramid, weighted": [
    "-preset",
    "medium",
    "-bf",
    "3",
    "-x264-params",
    "b-pyramid=normal:weightp=2:keyint=20",
  ],
  "no B-frames": ["-bf", "0"],
  "four slices": ["-x264-params", "slices=4:keyint=12"],
  "Baseline, CAVLC, slices of 300 bytes": ["-profile:v", "baseline", "-x264-params", "slice-max-size=300"],
  "interlaced, top field first": ["-flags", "+ildct+ilme", "-x264-params", "tff=1:bframes=2"],
  "10 bit": ["-pix_fmt", "yuv420p10le", "-preset", "medium"],
  "4:2:2 10 bit, all intra": ["-pix_fmt", "yuv422p10le", "-g", "1"],
  "4:4:4 lossless": ["-pix_fmt", "yuv444p", "-qp", "0"],
  "gradual refresh": ["-x264-params", "intra-refresh=1:keyint=10:bframes=0"],
  "open GOP": ["-preset", "medium", "-x264-params", "open-gop=1:keyint=8:min-keyint=4:bframes=3:scenecut=0"],
  "access unit delimiters, HRD": [
    ...["-b:v", "300k", "-maxrate", "300k", "-bufsize", "300k"],
    ...["-x264-params", "aud=1:nal-hrd=vbr:repeat-headers=1:keyint=9"],
  ],
  "filler, constant bit rate": [
    ...["-b:v", "900k", "-minrate", "900k", "-maxrate", "900k", "-bufsize", "100k"],
    ...["-x264-params", "nal-hrd=cbr:filler=1"],
  ],
};

const HEVC_VARIANTS: Readonly<Record<string, readonly string[]>> = {
  default: [],
  "no B-frames": ["-x265-params", "bframes=0"],
  slices: ["-x265-params", "slices=2:ctu=16:min-cu-size=8"],
  "open GOP": ["-x265-params", "open-gop=1:keyint=10:min-keyint=5:bframes=4"],
  "repeated headers, delimiters, hev1": [
    "-tag:v",
    "hev1",
    "-x265-params",
    "repeat-headers=1:aud=1:keyint=9:hrd=1:vbv-maxrate=300:vbv-bufsize=300",
  ],
  "10 bit, 4:2:2, weighted": ["-pix_fmt", "yuv422p10le", "-x265-params", "weightb=1:ref=4:temporal-layers=1"],
};

const X265_QUIET = ["-x265-params", "log-level=none"];

const AUDIO: readonly (readonly string[])[] = [
  ["-c:a", "aac"],
  ["-c:a", "pcm_s16le"],
];

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "nal-"));
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** What ffprobe says of the video stream. */
interface Stream {
  readonly width: number;
  readonly height: number;
  /** Pictures that decoders hold back. */
  readonly has_b_frames: number;
}

interface Recording {
  readonly bytes: Uint8Array;
  readonly packets: readonly Packet[];
  readonly stream: Stream | undefined;
}

async function record(name: string, options: readonly string[]): Promise<Recording> {
  const file = join(folder, `${name}.mov`);
  const inputs = ["-f", "lavfi", "-i", "testsrc2=s=176x144:r=25:d=1.4", "-f", "lavfi", "-i", "sine=d=1.4"];
  await run("ffmpeg", ["-v", "error", "-y", ...inputs, "-threads", "1", ...options, file]);
  const entries = ["-show_entries", "stream=width,height,has_b_frames:packet=pos,size,pts,flags"];
  const { stdout } = await run("ffprobe", ["-v", "error", "-select_streams", "v", ...entries, "-of", "json", file]);
  const found = JSON.parse(stdout) as { packets: Record<string, string>[]; streams: Stream[] };
  const packets = found.packets.map((row) => ({
    position: Number(row["pos"]),
    sizeBytes: Number(row["size"]),
    pts: Number(row["pts"]),
    isKey: row["flags"]?.startsWith("K") === true,
  }));
  return { bytes: new Uint8Array(readFileSync(file)), packets, stream: found.streams[0] };
}

function boxPayload(bytes: Uint8Array, fourcc: string): Uint8Array {
  const buffer = Buffer.from(bytes.buffer);
  const at = buffer.indexOf(fourcc);
  return bytes.subarray(at + 4, at - 4 + buffer.readUInt32BE(at - 4));
}

function avcSets(bytes: Uint8Array): AvcParameterSets {
  return new AvcParameterSets(parseAvcConfiguration(boxPayload(bytes, "avcC")));
}

function hevcSets(bytes: Uint8Array): HevcParameterSets {
  return new HevcParameterSets(parseHevcConfiguration(boxPayload(bytes, "hvcC")));
}

function readAvc(bytes: Uint8Array, packets: readonly Packet[]): Reading[] {
  const sets = avcSets(bytes);
  const window = new ByteWindow(createMemorySource(bytes));
  const poc = createAvcPocDecoder();
  let sequence = 0;
  return packets.map(({ position }) => {
    const startEvidenceBits = probeAvcStart(bytes, position, Math.min(bytes.length, position + 4096), sets);
    const probe = probeAvcSample(window, position, sets);
    if (probe.kind !== "sample") return { ...LOST, sizeBytes: probe.kind };
    sets.update(probe.parameterSetNals);
    const order = poc.next(probe.picture, probe.secondField);
    if (order.startsSequence) sequence++;
    const isSync = probe.isSync || probe.recoveryFrameCount !== undefined;
    return { sizeBytes: probe.sizeBytes, startEvidenceBits, isSync, sequence, poc: order.poc };
  });
}

function readHevc(bytes: Uint8Array, packets: readonly Packet[]): Reading[] {
  const sets = hevcSets(bytes);
  const window = new ByteWindow(createMemorySource(bytes));
  const poc = createHevcPocDecoder();
  let sequence = 0;
  return packets.map(({ position }) => {
    const startEvidenceBits = probeHevcStart(bytes, position, Math.min(bytes.length, position + 4096), sets);
    const probe = probeHevcSample(window, position, sets);
    if (probe.kind !== "sample") return { ...LOST, sizeBytes: probe.kind };
    sets.update(probe.parameterSetNals);
    const order = poc.next(probe.picture);
    if (order.startsSequence) sequence++;
    return { sizeBytes: probe.sizeBytes, startEvidenceBits, isSync: probe.isSync, sequence, poc: order.poc };
  });
}

const LOST: Reading = { sizeBytes: "no", startEvidenceBits: 0, isSync: false, sequence: 0, poc: 0 };

function expectAllRead(packets: readonly Packet[], readings: readonly Reading[]): void {
  expect(packets.length).toBeGreaterThan(30);
  expect(readings.map((reading) => reading.sizeBytes)).toEqual(packets.map((packet) => packet.sizeBytes));
  expect(readings.filter((reading) => !(reading.startEvidenceBits > 8))).toEqual([]);
  expect(readings.map((reading) => reading.isSync)).toEqual(packets.map((packet) => packet.isKey));
  const decodeIndexes = packets.map((_, index) => index);
  const reading = (index: number): Reading => readings[index] ?? LOST;
  const byPoc = decodeIndexes.toSorted(
    (a, b) => reading(a).sequence - reading(b).sequence || reading(a).poc - reading(b).poc,
  );
  const byPts = decodeIndexes.toSorted((a, b) => (packets[a]?.pts ?? 0) - (packets[b]?.pts ?? 0));
  expect(byPoc).toEqual(byPts);
}

describe.concurrent("H.264 as libx264 writes it", () => {
  for (const [index, [name, options]] of Object.entries(AVC_VARIANTS).entries()) {
    it(name, { timeout: 30_000 }, async () => {
      const audio = AUDIO[index % AUDIO.length] ?? [];
      const args = ["-c:v", "libx264", "-preset", "veryfast", ...options, ...audio];
      const { bytes, packets, stream } = await record(`avc-${index}`, args);
      expectAllRead(packets, readAvc(bytes, packets));
      const [sps] = avcSets(bytes).allSps();
      expect(sps).toMatchObject({ width: stream?.width, height: stream?.height });
      expect(sps && maxAvcReorderFrames(sps)).toBe(stream?.has_b_frames);
    });
  }
});

describe.concurrent("HEVC as libx265 writes it", () => {
  for (const [index, [name, options]] of Object.entries(HEVC_VARIANTS).entries()) {
    it(name, { timeout: 30_000 }, async () => {
      const audio = AUDIO[index % AUDIO.length] ?? [];
      const args = ["-c:v", "libx265", "-preset", "superfast", "-tag:v", "hvc1", ...options, ...audio];
      const { bytes, packets, stream } = await record(`hevc-${index}`, args);
      expectAllRead(packets, readHevc(bytes, packets));
      expect(hevcSets(bytes).allSps()[0]).toMatchObject({
        width: stream?.width,
        height: stream?.height,
        maxNumReorderPics: stream?.has_b_frames,
      });
    });
  }

  it("with what other layers and Dolby Vision add, and with damage", { timeout: 30_000 }, async () => {
    const { bytes, packets } = await record("hevc-more", ["-c:v", "libx265", "-preset", "ultrafast", ...X265_QUIET]);
    const first = packets[0] ?? { position: 0, sizeBytes: 0 };
    const plain = bytes.subarray(first.position, first.position + first.sizeBytes);
    const sets = hevcSets(bytes);
    const probe = (...parts: readonly (Uint8Array | readonly number[])[]) =>
      probeHevcSample(new ByteWindow(createMemorySource(Uint8Array.from(parts.flatMap((part) => [...part])))), 0, sets);
    const metadata = [0, 0, 0, 6, 0x7c, 0x01, 0x19, 8, 9, 0x80];
    const enhancement = [0, 0, 0, 7, 0x7e, 0x01, 0x28, 0x01, 0xaf, 0x12, 0x80];
    const layer = [0, 0, 0, 6, 0x02, 0x09, 0xd0, 0x11, 0x12, 0x80];
    const whole = plain.length + metadata.length + enhancement.length;
    expect(probe(plain, enhancement, metadata, bytes)).toMatchObject({ kind: "sample", sizeBytes: whole });
    expect(probe(plain, layer)).toMatchObject({ sizeBytes: plain.length });
    sets.maxLayerId = 1;
    expect(probe(plain, layer, bytes)).toMatchObject({ sizeBytes: plain.length + layer.length });
    expect(probe(plain.subarray(0, plain.length - 1))).toMatchObject({ kind: "cut", neededEndOffset: plain.length });
    const change = fc.record({ at: fc.nat(Math.min(200, plain.length - 1)), value: fc.nat(255) });
    fc.assert(
      fc.property(fc.array(change, { maxLength: 3 }), fc.nat(plain.length), (changes, length) => {
        const damaged = plain.slice(0, length);
        for (const { at, value } of changes) if (at < length) damaged[at] = value;
        const found = probe(damaged);
        if (found.kind === "sample") expect(found.sizeBytes).toBeLessThanOrEqual(length);
        expect(probeHevcStart(damaged, 0, length, sets)).toBeGreaterThanOrEqual(0);
      }),
      { numRuns: 500 },
    );
  });
});
