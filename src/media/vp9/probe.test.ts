import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { vp9EndEvidenceBits } from "./end-evidence.ts";
import { Vp9Model } from "./model.ts";
import { probeVp9Start } from "./probe.ts";
import { parseSuperframeIndex } from "./superframe.ts";
import { createVp9State } from "./uncompressed-header.ts";

let folder: string;
const recordings = new Map<string, readonly Uint8Array[]>();

/** Encodes a moving picture and returns the packets as a muxer gets them. */
function record(name: string, encoder: readonly string[]): readonly Uint8Array[] {
  const path = join(folder, `${name}.mp4`);
  const input = ["-f", "lavfi", "-i", "testsrc2=s=320x180:r=30:d=1.5"];
  execFileSync("ffmpeg", ["-v", "error", "-y", ...input, "-c:v", "libvpx-vp9", ...encoder, path]);
  const entries = ["-show_entries", "packet=pos,size", "-of", "csv=p=0"];
  const table = execFileSync("ffprobe", ["-v", "error", ...entries, path], { encoding: "utf8" });
  const bytes = new Uint8Array(readFileSync(path));
  const rows = table
    .trim()
    .split("\n")
    .map((line) => line.split(",").map(Number));
  return rows.map(([size = 0, pos = 0]) => bytes.slice(pos, pos + size));
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "reelmill-vp9-"));
  const yuv = ["-pix_fmt", "yuv420p"];
  recordings.set("realtime", record("realtime", ["-deadline", "realtime", "-cpu-used", "8", "-b:v", "1M", ...yuv]));
  const alt = ["-auto-alt-ref", "1", "-lag-in-frames", "16", "-g", "60"];
  recordings.set("alt-ref", record("alt-ref", ["-deadline", "good", "-cpu-used", "8", "-b:v", "300k", ...alt, ...yuv]));
  recordings.set("4:4:4", record("444", ["-deadline", "realtime", "-cpu-used", "8", "-pix_fmt", "yuv444p"]));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("probeVp9Start", () => {
  it.each(["realtime", "alt-ref", "4:4:4"])("sees a start at every packet and hardly anywhere else (%s)", (name) => {
    const packets = recordings.get(name) ?? [];
    expect(packets.length).toBeGreaterThan(30);
    const stream = concat(packets);
    let state = createVp9State();
    let offset = 0;
    for (const [i, packet] of packets.entries()) {
      const probe = probeVp9Start(stream, offset, stream.length, state, true);
      expect(probe).toMatchObject({ kind: "start", isSync: i === 0 });
      if (probe.kind !== "start") return;
      expect(probe.minSizeBytes).toBeLessThanOrEqual(packet.length);
      state = probe.nextState;
      offset += packet.length;
    }
    let elsewhere = 0;
    for (let i = 0; i < stream.length; i++) {
      const probe = probeVp9Start(stream, i, stream.length, state, true);
      if (probe.kind === "start" && probe.header.showExistingSlot === undefined) elsewhere++;
    }
    expect(elsewhere).toBeLessThan(packets.length * 1.5 + 4);
  });

  it("asks for more where a header is cut", () => {
    const [first = new Uint8Array()] = recordings.get("realtime") ?? [];
    expect(probeVp9Start(first, 0, 12, createVp9State()).kind).toBe("more");
  });

  it("never throws on any bytes", () => {
    const [, packet = new Uint8Array()] = recordings.get("realtime") ?? [];
    const edit = fc.tuple(fc.nat(Math.min(63, packet.length - 1)), fc.nat(255));
    fc.assert(
      fc.property(fc.array(edit, { maxLength: 6 }), fc.nat(packet.length), (edits, end) => {
        const bytes = packet.slice();
        for (const [index, value] of edits) bytes[index] = value;
        probeVp9Start(bytes, 0, end, createVp9State(), true);
        parseSuperframeIndex(bytes, 0, end);
      }),
    );
  });
});

describe("vp9EndEvidenceBits", () => {
  it("gives true ends more than other places, on the average and mostly each", () => {
    const packets = recordings.get("realtime") ?? [];
    const model = new Vp9Model();
    let state = createVp9State();
    let better = 0;
    let tested = 0;
    for (const packet of packets) {
      const probe = probeVp9Start(packet, 0, packet.length, state, true);
      if (probe.kind !== "start") continue;
      state = probe.nextState;
      const bits = vp9EndEvidenceBits(packet, 0, packet.length, model, probe.minSizeBytes);
      const others = [3, 11, 40].map((back) => vp9EndEvidenceBits(packet, 0, packet.length - back, model));
      expect(bits).toBeGreaterThan(-9);
      for (const other of others) {
        tested++;
        if (bits > other) better++;
      }
      model.observe(probe.header, packet, 0, packet.length);
    }
    expect(better / tested).toBeGreaterThan(0.8);
  });

  it("is certain of a superframe index whose sizes add up", () => {
    const [first = new Uint8Array(), second = new Uint8Array()] = recordings.get("realtime") ?? [];
    const marker = 0xc0 | (2 << 3) | 1; // two frames, sizes of three bytes
    const sizes = [first, second].flatMap(({ length }) => [length & 0xff, (length >> 8) & 0xff, length >> 16]);
    const superframe = concat([first, second, Uint8Array.of(marker, ...sizes, marker)]);
    expect(parseSuperframeIndex(superframe, 0, superframe.length)?.frameBytes).toEqual([first.length, second.length]);
    const model = new Vp9Model();
    expect(vp9EndEvidenceBits(superframe, 0, superframe.length, model)).toBeGreaterThan(20);
    const longer = concat([Uint8Array.of(0), superframe]);
    expect(vp9EndEvidenceBits(longer, 0, longer.length, model)).toBeLessThan(-20);
  });
});

describe("Vp9Model", () => {
  it("knows the headers of a track again", () => {
    const packets = recordings.get("realtime") ?? [];
    const model = new Vp9Model();
    let state = createVp9State();
    const bits: number[] = [];
    for (const packet of packets) {
      const probe = probeVp9Start(packet, 0, packet.length, state, true);
      if (probe.kind !== "start") continue;
      bits.push(model.headerBits(probe.header, packet, 0));
      model.observe(probe.header, packet, 0, packet.length);
      state = probe.nextState;
    }
    expect(model.isFamiliarStart(packets[5]?.[0] ?? 0)).toBe(true);
    expect(bits.slice(20).filter((value) => value > 16).length).toBeGreaterThan(bits.slice(20).length * 0.7);
  });
});
