import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ReelmillError } from "../base/errors.ts";
import { adviseRepair, describeCutShort } from "./cut-short.ts";

const folder = mkdtempSync(join(tmpdir(), "reelmill-cut-short-"));
const at = (name: string): string => join(folder, name);
const TOLD = ["The recording was cut short: its file ends before its own sizes say, and the rest is not in it."];

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function run(...args: string[]): Buffer {
  return execFileSync("ffmpeg", ["-nostdin", "-y", "-v", "error", ...args], { cwd: folder, maxBuffer: 1 << 26 });
}

/** A file of these bytes. */
function write(name: string, ...parts: readonly Uint8Array[]): string {
  writeFileSync(at(name), Buffer.concat(parts));
  return at(name);
}

beforeAll(() => {
  const inputs = ["-f", "lavfi", "-i", "testsrc2=s=160x120:r=25:d=4", "-f", "lavfi", "-i", "sine=d=4"];
  run(...inputs, "-c:v", "libx264", "-preset", "ultrafast", "-g", "25", "-c:a", "aac", "whole.mkv");
  run(...inputs, "-c:v", "libvpx-vp9", "-cpu-used", "8", "-deadline", "realtime", "-c:a", "libopus", "whole.webm");
  run(...inputs, "-c:v", "mpeg4", "-c:a", "libmp3lame", "whole.avi");
  run("-i", "whole.mkv", "-c", "copy", "-movflags", "+faststart", "whole.mp4");
  // As a stream is written, and as a program that cannot seek writes a file.
  write("live.mkv", run("-i", "whole.mkv", "-c", "copy", "-live", "1", "-f", "matroska", "pipe:1"));
  write("live.webm", run("-i", "whole.webm", "-c", "copy", "-f", "webm", "pipe:1"));
  write("live.avi", run("-i", "whole.avi", "-c", "copy", "-f", "avi", "pipe:1"));
});

const WHOLE = ["whole.mkv", "whole.webm", "whole.avi", "whole.mp4", "live.mkv", "live.webm", "live.avi"];

describe("a recording that was cut short", () => {
  it.each(["whole.mkv", "whole.webm", "whole.avi"])("is known wherever %s is cut among its pictures", (name) => {
    const bytes = readFileSync(at(name));
    for (const share of [0.2, 0.5, 0.9]) {
      const cut = write(`cut-${name}`, bytes.subarray(0, Math.floor(bytes.length * share)));
      expect(describeCutShort(cut), `${share}`).toEqual(TOLD);
    }
  });

  it("may have more for repair where it is MP4", () => {
    const bytes = readFileSync(at("whole.mp4"));
    const told = describeCutShort(write("cut.mp4", bytes.subarray(0, Math.floor(bytes.length / 2))));
    expect(told).toEqual(["The recording was cut short: `reelmill repair` may recover more of it."]);
  });

  it("is sent to repair where nothing comes of it", () => {
    const cut = write("cut.mkv", readFileSync(at("whole.mkv")).subarray(0, 20_000));
    const failed = adviseRepair(cut, new ReelmillError("FFMPEG_FAILED", "ffmpeg failed."));
    expect((failed as Error).message).toContain("`reelmill repair");
  });

  it("is known of a stream that ends within a cluster", () => {
    const bytes = readFileSync(at("live.mkv"));
    expect(describeCutShort(write("cut-live.mkv", bytes.subarray(0, bytes.length - 1000)))).toEqual(TOLD);
  });
});

describe("nothing is told", () => {
  it.each(WHOLE)("of %s", (name) => {
    expect(describeCutShort(at(name))).toEqual([]);
  });

  it.each(WHOLE.filter((name) => !name.endsWith("mp4")))("of %s with something else behind its end", (name) => {
    for (const rest of [new Uint8Array(5000), new TextEncoder().encode("some words".repeat(300))]) {
      expect(describeCutShort(write(`behind-${name}`, readFileSync(at(name)), rest))).toEqual([]);
    }
  });

  it("of a stream whose sizes were never written, and which ends between two clusters", () => {
    const bytes = readFileSync(at("live.mkv"));
    const last = bytes.lastIndexOf(Buffer.from([0x1f, 0x43, 0xb6, 0x75]));
    expect(last).toBeGreaterThan(10_000);
    expect(describeCutShort(write("between.mkv", bytes.subarray(0, last)))).toEqual([]);
  });
});
