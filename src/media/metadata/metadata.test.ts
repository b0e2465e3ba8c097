import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import type { PacketProbe } from "../bytes/packet-probe.ts";
import { createCammProbe } from "./camm-probe.ts";
import { createFdscProbe, learnFdscSizes } from "./fdsc-probe.ts";
import { createGpmfProbe } from "./gpmf-probe.ts";
import { createLearnedProbe, learnSamples } from "./learned-probe.ts";
import { createMebxProbe, learnMebxPattern, parseMebxKeys } from "./mebx-probe.ts";
import { createRtmdProbe } from "./rtmd-probe.ts";
import { createTextProbe } from "./text-probe.ts";
import { createTimecodeProbe, parseTimecodeEntry } from "./timecode-probe.ts";

const folder = mkdtempSync(join(tmpdir(), "reelmill-metadata-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function text(value: string): number[] {
  return [...Buffer.from(value, "latin1")];
}

function u32(value: number): number[] {
  return [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255];
}

function item(key: string, type: string, sizeBytes: number, payload: readonly number[]): number[] {
  const padding = new Array((4 - (payload.length % 4)) % 4).fill(0);
  const repeat = payload.length / sizeBytes;
  return [...text(key), ...text(type), sizeBytes, repeat >> 8, repeat & 255, ...payload, ...padding];
}

function device(id: number): number[] {
  const stream = item("STRM", "\0", 1, [...item("STNM", "c", 5, text("Speed")), ...item("GPS5", "l", 4, u32(5))]);
  return item("DEVC", "\0", 1, [...item("DVID", "L", 4, u32(id)), ...item("DVNM", "c", 4, text("Hero")), ...stream]);
}

describe("createGpmfProbe", () => {
  it("takes the devices of one sample together, and no more", () => {
    const sample = Uint8Array.from([...device(1), ...device(2)]);
    const bytes = Uint8Array.from([...sample, ...sample, ...new Array(24).fill(0)]);
    expect(createGpmfProbe().probe(bytes, 0, bytes.length)).toMatchObject({ kind: "packet", sizeBytes: sample.length });
    expect(createGpmfProbe().probe(bytes, 0, sample.length)).toMatchObject({ kind: "more" });
    expect(createGpmfProbe().probe(bytes, 1, bytes.length)).toEqual({ kind: "no" });
  });
});

describe("createCammProbe", () => {
  it("knows the length of each type and refuses wild floats", () => {
    const gyro = new Uint8Array(20);
    const view = new DataView(gyro.buffer);
    view.setUint16(2, 2, true);
    [0.25, -1.5, 9.81].forEach((value, i) => {
      view.setFloat32(4 + i * 4, value, true);
    });
    expect(createCammProbe().probe(gyro, 0, 20)).toMatchObject({ kind: "packet", sizeBytes: 16 });
    view.setFloat32(8, 1e30, true);
    expect(createCammProbe().probe(gyro, 0, 20)).toEqual({ kind: "no" });
    expect(createCammProbe().probe(gyro, 0, 10)).toEqual({ kind: "more", neededBytes: 16 });
  });
});

describe("createTextProbe", () => {
  it("finds every subtitle of an ffmpeg file exactly", () => {
    const cues = ["Grüße", "<b>bold</b> and plain", "", "日本語 📷"];
    const time = (i: number): string => `00:00:0${i},000 --> 00:00:0${i},500`;
    writeFileSync(join(folder, "cues.srt"), cues.map((cue, i) => `${i + 1}\n${time(i)}\n${cue}\n`).join("\n"));
    const path = join(folder, "text.mp4");
    execFileSync("ffmpeg", ["-v", "error", "-i", join(folder, "cues.srt"), "-c:s", "mov_text", path]);
    const probed = execFileSync("ffprobe", ["-v", "error", "-show_entries", "packet=pos,size", "-of", "csv=p=0", path]);
    const bytes = readFileSync(path);
    const packets = probed.toString().trim().split("\n");
    expect(packets.length).toBeGreaterThanOrEqual(5);
    for (const packet of packets) {
      const [size, pos] = packet.split(",").map(Number) as [number, number];
      expect(createTextProbe().probe(bytes, pos, bytes.length)).toMatchObject({ kind: "packet", sizeBytes: size });
    }
  });

  it("refuses what is no text", () => {
    expect(createTextProbe().probe(Uint8Array.of(0, 4, 0xc3, 0x28, 65, 66), 0, 6)).toEqual({ kind: "no" });
  });
});

describe("createTimecodeProbe", () => {
  it("holds a time of day to its day", () => {
    const raw = Uint8Array.from([...u32(34), ...text("tmcd"), ...new Array(8).fill(0), ...u32(0), ...u32(0)]);
    const whole = Uint8Array.from([...raw, ...u32(30000), ...u32(1001), 30, 0]);
    const entry = parseTimecodeEntry({ format: "tmcd", raw: whole, children: new Map() });
    expect(entry).toMatchObject({ timescale: 30000, frameDurationTicks: 1001, framesPerSecond: 30, isCounter: false });
    const probe = createTimecodeProbe(entry);
    expect(probe.probe(Uint8Array.from(u32(107892)), 0, 4)).toMatchObject({ kind: "packet", sizeBytes: 4 });
    expect(probe.probe(Uint8Array.from(u32(86400 * 30)), 0, 4)).toEqual({ kind: "no" });
  });
});

describe("createMebxProbe", () => {
  const box = (id: number, payload: readonly number[]): number[] => [
    ...u32(8 + payload.length),
    ...u32(id),
    ...payload,
  ];

  it("follows the chain of keys", () => {
    const name = text("com.apple.quicktime.detected-face");
    const keyd = [...u32(12 + name.length), ...text("keyd"), ...text("mdta"), ...name];
    const keys = parseMebxKeys(Uint8Array.from([...u32(8 + keyd.length), ...u32(1), ...keyd, ...u32(8), ...u32(2)]));
    expect(keys).toEqual([
      { localId: 1, name: "com.apple.quicktime.detected-face" },
      { localId: 2, name: "" },
    ]);
    const sample = [...box(1, [1, 2, 3]), ...box(2, [4])];
    const bytes = Uint8Array.from([...sample, ...sample, ...u32(0), ...u32(0)]);
    const ids = keys.map((key) => key.localId);
    expect(createMebxProbe(ids).probe(bytes, 0, bytes.length)).toMatchObject({ sizeBytes: sample.length });
    const pattern = learnMebxPattern([Uint8Array.from(sample)]);
    expect(pattern).toMatchObject({ boxesPerSample: 2 });
    expect(createMebxProbe(ids, pattern).probe(bytes, 0, sample.length)).toMatchObject({ sizeBytes: sample.length });
  });

  it("takes an empty box with the id 0 for a sample without a value", () => {
    const bytes = Uint8Array.from([...u32(8), ...u32(0), ...box(1, [1])]);
    expect(createMebxProbe([1]).probe(bytes, 0, bytes.length)).toMatchObject({ kind: "packet", sizeBytes: 8 });
  });
});

describe("createRtmdProbe and createFdscProbe", () => {
  it("use the sizes that a reference showed", () => {
    const head = new Uint8Array(64);
    head.set([0, 0x1c, 1, 0]);
    expect(createRtmdProbe(1024).probe(head, 0, 64)).toMatchObject({ kind: "packet", sizeBytes: 1024 });
    expect(createRtmdProbe().probe(head, 0, 64)).toMatchObject({ kind: "open" });
    const first = Uint8Array.from([...text("GPRO"), 0x2c, 1, 0, 0]);
    const sizes = learnFdscSizes([Uint8Array.from([...text("GP\x05\0"), ...u32(4), ...u32(0), ...u32(0)])]);
    expect(createFdscProbe(sizes).probe(first, 0, 8)).toMatchObject({ kind: "packet", sizeBytes: 300 });
    expect(createFdscProbe(sizes).probe(Uint8Array.from([...text("GP\x05\0"), ...u32(9)]), 0, 8)).toMatchObject({
      sizeBytes: 16,
    });
  });
});

describe("createLearnedProbe", () => {
  it("learns a constant size, leading bytes, and where a size is stated", () => {
    const constant = learnSamples([1, 2, 3, 4, 5].map((i) => Uint8Array.of(9, 8, 7, i, 0, 0)));
    const probe = createLearnedProbe(constant);
    expect(probe.probe(Uint8Array.of(9, 8, 7, 3, 0, 0), 0, 6)).toMatchObject({ kind: "packet", sizeBytes: 6 });
    expect(probe.probe(Uint8Array.of(1, 7, 6, 3, 0, 0), 0, 6)).toEqual({ kind: "no" });
    const varied = [20, 40, 37, 300].map((size) => {
      const sample = new Uint8Array(size).fill(5);
      new DataView(sample.buffer).setUint16(2, size - 4, true);
      return sample;
    });
    const stats = learnSamples(varied);
    expect(stats.sizeField).toEqual({ offsetBytes: 2, widthBytes: 2, isBigEndian: false, addBytes: 4 });
    for (const sample of varied) {
      expect(createLearnedProbe(stats).probe(sample, 0, sample.length)).toMatchObject({ sizeBytes: sample.length });
    }
    expect(createLearnedProbe(learnSamples([])).probe(new Uint8Array(8), 0, 8)).toEqual({ kind: "no" });
  });
});

describe("a counter that counts on", () => {
  const sampleOf = (count: number): Uint8Array => Uint8Array.of(...text("META1234"), ...u32(count), 0, 0, 7, 7);
  const probe = createLearnedProbe(learnSamples([...new Array(90).keys()].map(sampleOf)));
  const answerTo = (sample: Uint8Array) => probe.probe(sample, 0, sample.length);

  it("is followed past what the reference showed of it, and learnt from", () => {
    const usual = answerTo(sampleOf(5));
    const later = answerTo(sampleOf(0x8000));
    expect(later).toMatchObject({ kind: "packet", sizeBytes: 16 });
    expect(later.kind === "packet" && usual.kind === "packet" && later.evidenceBits < usual.evidenceBits).toBe(true);
    expect(later.changedBits?.[10]).toBe(0x80);
    probe.learn(later.changedBits as Uint8Array);
    expect(answerTo(sampleOf(0x8001)).changedBits).toBeUndefined();
  });

  it("is not seen in other bytes", () => {
    expect(answerTo(Uint8Array.from({ length: 16 }, (_, i) => i * 37)).kind).toBe("no");
  });
});

describe("every probe", () => {
  it("answers on any bytes without throwing", () => {
    const probes: readonly { probe(bytes: Uint8Array, startIndex: number, endIndex: number): PacketProbe }[] = [
      createCammProbe(),
      createGpmfProbe(),
      createTextProbe(),
      createTimecodeProbe(),
      createMebxProbe([1, 2]),
      createRtmdProbe(),
      createFdscProbe(),
      createLearnedProbe(learnSamples([Uint8Array.of(1, 2), Uint8Array.of(1, 3, 4)])),
    ];
    fc.assert(
      fc.property(fc.constantFrom("DEVC\0", "GP", "\0\x1c\x01\0", "\0\0\0", ""), fc.uint8Array(), (lead, rest) => {
        const bytes = Uint8Array.from([...text(lead), ...rest]);
        for (const probe of probes) {
          const answer = probe.probe(bytes, 0, bytes.length);
          if (answer.kind === "packet") expect(answer.sizeBytes).toBeGreaterThan(0);
          if (answer.kind === "more") expect(answer.neededBytes).toBeGreaterThan(bytes.length);
        }
      }),
    );
  });
});
