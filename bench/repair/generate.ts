import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { turnPictures } from "../../test/support/turn-pictures.ts";
import { encodeFile } from "../measuring/tools.ts";
import type { GeneratedCase } from "./cases.ts";

/** Paths of a generated pair. */
export interface RecordingPair {
  readonly referencePath: string;
  readonly victimPath: string;
}

/** How large the pictures of pairs are, in pixels and bits, and how long their recordings. */
export interface PairScale {
  /** Both even, as mandelbrots of half of it are blown up. */
  readonly widthPixels: number;
  readonly heightPixels: number;
  /** As ffmpeg takes it, in place of the pair's own where that has one. */
  readonly videoRate?: string;
  readonly referenceSeconds: number;
  readonly victimSeconds: number;
  /** Given whatever the machine has: an encoder's output depends on it. */
  readonly threads: number;
}

const FULL: PairScale = { widthPixels: 640, heightPixels: 360, referenceSeconds: 5, victimSeconds: 24, threads: 2 };
const CUES = 8;
/** Drops every seventh picture, so that the rate varies when timestamps are kept. */
const DROP_PICTURES = "select='not(eq(mod(n\\,7)\\,3))'";

const PICTURES = {
  reference: (width: number, height: number) =>
    `mandelbrot=s=${width / 2}x${height / 2}:r=30:start_scale=0.8:end_scale=0.05,scale=${width}x${height},noise=alls=8:allf=t+u,format=yuv420p`,
  victim: (width: number, height: number) =>
    `testsrc2=s=${width}x${height}:r=30,hue=H=0.4*t,noise=alls=10:allf=t+u,format=yuv420p`,
} as const;

const SOUNDS = {
  reference:
    "aevalsrc='0.3*sin(2*PI*t*(330+30*sin(t)))+0.08*random(0)-0.04|0.3*sin(2*PI*t*440)+0.08*random(1)-0.04':s=48000",
  victim:
    "aevalsrc='0.3*sin(2*PI*t*(523+60*sin(t/3)))+0.1*random(2)-0.05|0.25*sin(2*PI*t*(277+20*sin(t)))+0.1*random(3)-0.05':s=48000",
} as const;

type Role = keyof typeof PICTURES;

/**
 * Makes a pair, or finds it in `folder`, where all are of one scale, from an earlier run with the same settings. Rejects
 * where ffmpeg fails.
 */
export async function generatePair(
  folder: string,
  generated: GeneratedCase,
  scale: PairScale = FULL,
): Promise<RecordingPair> {
  return {
    referencePath: await generateOne(folder, generated, "reference", scale),
    victimPath: await generateOne(folder, generated, "victim", scale),
  };
}

/** The names of the encoders that the installed ffmpeg has. */
export function listEncoders(): ReadonlySet<string> {
  const listing = execFileSync("ffmpeg", ["-hide_banner", "-encoders"], { encoding: "utf8" });
  return new Set(listing.split("\n").map((line) => line.trim().split(/\s+/)[1] ?? ""));
}

async function generateOne(folder: string, generated: GeneratedCase, role: Role, scale: PairScale): Promise<string> {
  mkdirSync(folder, { recursive: true });
  const source = await generateSource(folder, role, scale);
  const subtitles = writeSubtitles(folder, scale.victimSeconds / CUES);
  const filter = generated.isConstantRate ? [] : ["-vf", DROP_PICTURES];
  const coding = generated.args.map((arg, index) =>
    generated.args[index - 1] === "-b:v" ? (scale.videoRate ?? arg) : arg,
  );
  const args = ["-i", source, "-i", subtitles, ...filter, ...coding];
  const settings = [...threadSettings(coding, scale.threads), ...(generated.args.includes("-map") ? [] : ["-sn"])];
  const key = createHash("sha256")
    .update([...args.slice(4), ...settings, ...(generated.isTurned ? ["turned"] : [])].join(" "))
    .digest("hex")
    .slice(0, 10);
  const path = join(folder, `${generated.id}.${role}.${key}.${generated.extension}`);
  if (existsSync(path)) return path;
  await encodeFile([...args, ...settings], path);
  if (generated.isTurned) turnPictures(path);
  return path;
}

/** SVT-AV1 has a setting of its own, and gives other bits at every run without it. */
function threadSettings(coding: readonly string[], threads: number): string[] {
  const isSvt = coding.includes("libsvtav1");
  return ["-threads", String(threads), ...(isSvt ? ["-svtav1-params", `lp=${threads}`] : [])];
}

/** A nearly lossless intermediate that every case of the role is encoded from. */
async function generateSource(folder: string, role: Role, scale: PairScale): Promise<string> {
  const seconds = role === "reference" ? scale.referenceSeconds : scale.victimSeconds;
  const pictures = PICTURES[role](scale.widthPixels, scale.heightPixels);
  const inputs = ["-f", "lavfi", "-i", pictures, "-f", "lavfi", "-i", SOUNDS[role], "-t", String(seconds)];
  const key = createHash("sha256").update(inputs.join(" ")).digest("hex").slice(0, 10);
  const path = join(folder, `source.${role}.${key}.mkv`);
  const coding = ["-c:v", "libx264", "-preset", "ultrafast", "-qp", "10", "-c:a", "pcm_s16le"];
  if (!existsSync(path)) await encodeFile([...inputs, ...coding], path);
  return path;
}

/** One line in each stretch of so many seconds, with a pause before and after. */
function writeSubtitles(folder: string, stretchSeconds: number): string {
  const path = join(folder, "subtitles.srt");
  const stamp = (seconds: number): string => `00:00:${seconds.toFixed(3).padStart(6, "0").replace(".", ",")}`;
  const cues = Array.from({ length: CUES }, (_, index) => {
    const start = (index + 1 / 3) * stretchSeconds;
    const end = start + 0.3 * stretchSeconds;
    return `${index + 1}\n${stamp(start)} --> ${stamp(end)}\nLine ${index + 1} of the text track.\n`;
  });
  writeFileSync(path, cues.join("\n"));
  return path;
}
