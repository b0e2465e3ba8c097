import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ByteSource } from "../../media/bytes/byte-source.ts";
import { ByteWindow } from "../../media/bytes/byte-window.ts";
import { forEachSample } from "../../media/isobmff/sample-table.ts";
import { learnProfile } from "../learn/profile.ts";
import { triage } from "../triage.ts";
import { createScanModel } from "./model.ts";
import { Scanner } from "./scanner.ts";

let folder: string;

function sourceOf(bytes: Uint8Array): ByteSource {
  return {
    sizeBytes: bytes.length,
    read(offset, target) {
      const part = bytes.subarray(offset, offset + target.length);
      target.set(part);
      return part.length;
    },
  };
}

function tone(hertz: number): string {
  return `0.3*sin(${hertz}*2*PI*t)*(0.6+0.4*sin(5*t))+0.03*(random(0)-0.5)`;
}

function record(
  name: string,
  sound: string,
  seconds: number,
  encoder: readonly string[],
  size = "320x180",
): Uint8Array {
  const path = join(folder, name);
  const picture = ["-f", "lavfi", "-i", `testsrc2=s=${size}:r=30:d=${seconds}`];
  const heard = ["-f", "lavfi", "-i", `aevalsrc='${sound}':s=48000:d=${seconds}`];
  execFileSync("ffmpeg", ["-v", "error", "-y", ...picture, ...heard, ...encoder, path]);
  return new Uint8Array(readFileSync(path));
}

/** Packets of a healthy file as `offset+size`, those that end at or before `end`, in file order. */
function packetsOf(bytes: Uint8Array, end: number): string[] {
  const packets: [number, number][] = [];
  for (const { samples } of triage(sourceOf(bytes)).movies[0]?.movie.tracks ?? []) {
    forEachSample(samples, (_, offset, size) => {
      if (size > 0 && offset + size <= end) packets.push([offset, size]);
    });
  }
  return packets.sort((a, b) => a[0] - b[0]).map(([offset, size]) => `${offset}+${size}`);
}

async function scan(bytes: Uint8Array, start: number, end: number, reference: Uint8Array): Promise<string[]> {
  const source = sourceOf(reference);
  const movie = triage(source).movies[0]?.movie;
  if (movie === undefined) throw new Error("The reference has no movie.");
  const model = createScanModel(learnProfile(movie, source));
  const scanner = new Scanner(new ByteWindow(sourceOf(bytes.subarray(0, end))), model);
  await scanner.scan(start, end);
  const { log } = scanner.result;
  return Array.from({ length: log.count }, (_, index) => `${log.offset(index)}+${log.size(index)}`);
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "reelmill-open-"));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("packets that don't tell their size", () => {
  const opus = ["-c:a", "libopus", "-b:a", "96k"];
  const vp9 = ["-c:v", "libvpx-vp9", "-cpu-used", "8", ...opus];
  it.each([
    ["realtime VP9 and Opus", "mp4", [...vp9, "-deadline", "realtime", "-b:v", "800k"]],
    [
      "VP9 with hidden frames and Opus",
      "mp4",
      [...vp9, "-deadline", "good", "-auto-alt-ref", "1", "-lag-in-frames", "16"],
    ],
    ["Opus alone", "mp4", ["-map", "1", ...opus]],
  ])("are all found, to the end and to a cut (%s)", async (name, extension, encoder) => {
    const reference = record(`${name}-reference.${extension}`, tone(440), 2, encoder);
    const victim = record(`${name}-victim.${extension}`, tone(330), 3, encoder);
    const mdat = triage(sourceOf(victim)).boxes.find((box) => box.type === "mdat");
    if (mdat === undefined) throw new Error("The recording has no mdat.");
    const start = mdat.offsetBytes + mdat.headerBytes;
    const end = mdat.offsetBytes + mdat.sizeBytes;
    expect(await scan(victim, start, end, reference)).toEqual(packetsOf(victim, end));
    const cut = start + Math.floor((end - start) * 0.6);
    const expected = packetsOf(victim, cut);
    expect((await scan(victim, start, cut, reference)).slice(0, expected.length - 1)).toEqual(expected.slice(0, -1));
  });

  it.each([
    ["beats", "0.25*sin(2073*t)*exp(-4*mod(t,0.3))+0.2*(random(0)-0.5)*exp(-25*mod(t,0.5))"],
    ["near silence", "0.004*sin(1257*t*(1+0.1*sin(t)))*gt(mod(t,1),0.5)+0.0005*(random(0)-0.5)"],
  ])("are found by the clocks where their own bytes say little (%s, one channel)", async (name, sound) => {
    const encoder = [...vp9, "-deadline", "realtime", "-b:v", "200k", "-b:a", "64k"];
    const reference = record(`${name}-noise.mp4`, "0.2*(random(0)-0.5)", 2, encoder, "160x90");
    const victim = record(`${name}-mono.mp4`, sound, 4, encoder, "160x90");
    const mdat = triage(sourceOf(victim)).boxes.find((box) => box.type === "mdat");
    if (mdat === undefined) throw new Error("The recording has no mdat.");
    const end = mdat.offsetBytes + mdat.sizeBytes;
    expect(await scan(victim, mdat.offsetBytes + mdat.headerBytes, end, reference)).toEqual(packetsOf(victim, end));
  });

  it.each([
    ["one channel", ["-b:a", "256k"]],
    ["5.1", ["-b:a", "320k", "-ac", "6", "-mapping_family", "1"]],
  ])("are found alone, piece by piece, on both sides of a hole (%s)", async (name, options) => {
    const encoder = ["-map", "1", "-c:a", "libopus", ...options];
    const beats = "0.25*sin(2073*t)*exp(-4*mod(t,0.3))+0.2*(random(0)-0.5)*exp(-25*mod(t,0.5))";
    const reference = record(`${name}-alone.mp4`, tone(440), 3, encoder);
    const victim = record(`${name}-holed.mp4`, beats, 8, encoder);
    const mdat = triage(sourceOf(victim)).boxes.find((box) => box.type === "mdat");
    if (mdat === undefined) throw new Error("The recording has no mdat.");
    const start = mdat.offsetBytes + mdat.headerBytes;
    const end = mdat.offsetBytes + mdat.sizeBytes;
    const hole = { start: Math.floor((start + end) / 2), bytes: 9000 };
    const holed = victim.slice();
    holed.fill(0, hole.start, hole.start + hole.bytes);
    const isWhole = (place: string): boolean => {
      const [offset = 0, size = 0] = place.split("+").map(Number);
      return offset + size <= hole.start || offset >= hole.start + hole.bytes;
    };
    const found = new Set(await scan(holed, start, end, reference));
    const whole = packetsOf(victim, end).filter(isWhole);
    expect(whole.length).toBeGreaterThan(300);
    expect(whole.filter((place) => !found.has(place)).length).toBeLessThanOrEqual(2);
  });
});
