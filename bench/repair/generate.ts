import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { encodeFile } from "../measuring/tools.ts";
import type { GeneratedCase } from "./cases.ts";

/** Paths of a generated pair. */
export interface RecordingPair {
  readonly referencePath: string;
  readonly victimPath: string;
}

const REFERENCE_SECONDS = 5;
const VICTIM_SECONDS = 24;
/** Drops every seventh picture, so that the rate varies when timestamps are kept. */
const DROP_PICTURES = "select='not(eq(mod(n\\,7)\\,3))'";

const PICTURES = {
  reference:
    "mandelbrot=s=320x180:r=30:start_scale=0.8:end_scale=0.05,scale=640x360,noise=alls=8:allf=t+u,format=yuv420p",
  victim: "testsrc2=s=640x360:r=30,hue=H=0.4*t,noise=alls=10:allf=t+u,format=yuv420p",
} as const;

const SOUNDS = {
  reference:
    "aevalsrc='0.3*sin(2*PI*t*(330+30*sin(t)))+0.08*random(0)-0.04|0.3*sin(2*PI*t*440)+0.08*random(1)-0.04':s=48000",
  victim:
    "aevalsrc='0.3*sin(2*PI*t*(523+60*sin(t/3)))+0.1*random(2)-0.05|0.25*sin(2*PI*t*(277+20*sin(t)))+0.1*random(3)-0.05':s=48000",
} as const;

type Role = keyof typeof PICTURES;

/** Makes a pair, or finds it in `folder` from an earlier run with the same settings. Rejects where ffmpeg fails. */
export async function generatePair(folder: string, generated: GeneratedCase): Promise<RecordingPair> {
  return {
    referencePath: await generateOne(folder, generated, "reference"),
    victimPath: await generateOne(folder, generated, "victim"),
  };
}

/** The names of the encoders that the installed ffmpeg has. */
export function listEncoders(): ReadonlySet<string> {
  const listing = execFileSync("ffmpeg", ["-hide_banner", "-encoders"], { encoding: "utf8" });
  return new Set(listing.split("\n").map((line) => line.trim().split(/\s+/)[1] ?? ""));
}

async function generateOne(folder: string, generated: GeneratedCase, role: Role): Promise<string> {
  mkdirSync(folder, { recursive: true });
  const source = await generateSource(folder, role);
  const subtitles = writeSubtitles(folder);
  const filter = generated.isConstantRate ? [] : ["-vf", DROP_PICTURES];
  const args = ["-i", source, "-i", subtitles, ...filter, ...generated.args];
  // Two threads, whatever the machine has: an encoder's output depends on it.
  const settings = ["-threads", "2", ...(generated.args.includes("-map") ? [] : ["-sn"])];
  const key = createHash("sha256")
    .update([...args.slice(4), ...settings, ...(generated.copyArgs ?? [])].join(" "))
    .digest("hex")
    .slice(0, 10);
  const path = join(folder, `${generated.id}.${role}.${key}.${generated.extension}`);
  if (existsSync(path)) return path;
  if (generated.copyArgs === undefined) await encodeFile([...args, ...settings], path);
  else {
    const encodedPath = join(folder, `${generated.id}.${role}.encoded.${generated.extension}`);
    await encodeFile([...args, ...settings], encodedPath);
    await encodeFile(["-i", encodedPath, "-map", "0", "-c", "copy", ...generated.copyArgs], path);
    rmSync(encodedPath);
  }
  return path;
}

/** A nearly lossless intermediate that every case of the role is encoded from. */
async function generateSource(folder: string, role: Role): Promise<string> {
  const seconds = role === "reference" ? REFERENCE_SECONDS : VICTIM_SECONDS;
  const inputs = ["-f", "lavfi", "-i", PICTURES[role], "-f", "lavfi", "-i", SOUNDS[role], "-t", String(seconds)];
  const key = createHash("sha256").update(inputs.join(" ")).digest("hex").slice(0, 10);
  const path = join(folder, `source.${role}.${key}.mkv`);
  const coding = ["-c:v", "libx264", "-preset", "ultrafast", "-qp", "10", "-c:a", "pcm_s16le"];
  if (!existsSync(path)) await encodeFile([...inputs, ...coding], path);
  return path;
}

function writeSubtitles(folder: string): string {
  const path = join(folder, "subtitles.srt");
  const cues = Array.from({ length: 8 }, (_, index) => {
    const second = String(index * 3 + 1).padStart(2, "0");
    return `${index + 1}\n00:00:${second},000 --> 00:00:${second},900\nLine ${index + 1} of the text track.\n`;
  });
  writeFileSync(path, cues.join("\n"));
  return path;
}
