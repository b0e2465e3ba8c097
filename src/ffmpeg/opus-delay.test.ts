import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { findOpusDelay } from "./opus-delay.ts";
import { locateFfmpeg } from "./tools.ts";

const { signal } = new AbortController();
const SETTINGS = { ffmpeg: "ffmpeg", ffprobe: "ffprobe", ffmpegTimeoutMs: 60_000 };
const PATH = process.env["PATH"] ?? "";

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "reelmill-opus-"));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

it("has WebM's Opus play at its own time", async () => {
  const tools = await locateFfmpeg(SETTINGS, PATH);
  const path = join(folder, "sound.webm");
  const later = 1 + (await findOpusDelay(tools, signal));
  const source = ["-f", "lavfi", "-i", "sine=r=48000", "-t", "0.1", "-c:a", "libopus", "-output_ts_offset", `${later}`];
  execFileSync(tools.ffmpegPath, ["-nostdin", "-v", "error", ...source, path]);
  const entries = ["-show_entries", "packet=pts_time", "-read_intervals", "%+#1", "-of", "csv=p=0"];
  const first = Number.parseFloat(
    execFileSync(tools.ffprobePath, ["-v", "error", ...entries, path], { encoding: "utf8" }),
  );
  // What players throw away comes before it.
  expect(Math.abs(first - (1 - 312 / 48_000))).toBeLessThan(0.0011);
});

it.each([
  ["nothing", ""],
  ["a cluster that ends", "1f43b67583e78203e8a3"],
])("refuses what holds no sound: %s", async (_, hex) => {
  const path = join(folder, "other-ffmpeg");
  writeFileSync(
    path,
    `#!/bin/sh\nprintf '${hex.replaceAll(/../g, (byte) => `\\${Number.parseInt(byte, 16).toString(8)}`)}'\n`,
    { mode: 0o755 },
  );
  const tools = { ffmpegPath: path, ffprobePath: path, timeoutMs: 10_000 };
  await expect(findOpusDelay(tools, signal)).rejects.toThrow("whose sound cannot be found");
});
