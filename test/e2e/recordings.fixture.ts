import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { inject } from "vitest";
import { createMemorySource } from "../../src/media/bytes/byte-source.ts";
import { scanTopLevelBoxes } from "../../src/media/isobmff/top-level.ts";
import { makeRecording } from "../support/make-recording.ts";

const VIDEO = "-c:v libx264 -preset ultrafast -g 12 -bf 0 -pix_fmt yuv420p -c:a aac -b:a 64k";

/** Files to repair, in a folder made for it. */
export interface Recordings {
  /** Plays; a little shorter than the damaged one was. */
  readonly reference: string;
  /** Cut at 60 % of its media data, without an index. */
  readonly damaged: string;
  /** As `damaged`, but its index stands in front. */
  readonly indexCut: string;
  /** Plays; has other codecs than `damaged`. */
  readonly foreign: string;
  readonly matroska: string;
  /** `matroska` cut at 60 %. */
  readonly matroskaCut: string;
}

function boxOf(bytes: Uint8Array, type: string): { readonly start: number; readonly end: number } {
  const box = scanTopLevelBoxes(createMemorySource(bytes)).find((candidate) => candidate.type === type);
  if (box === undefined) throw new Error(`The recording has no ${type}.`);
  return { start: box.offsetBytes, end: box.offsetBytes + box.sizeBytes };
}

/** A recording without its index, whose media data end early. */
export function cutAtShare(bytes: Uint8Array, share: number): Uint8Array {
  const { start, end } = boxOf(bytes, "mdat");
  return bytes.slice(0, Math.floor(start + (end - start) * share));
}

/** Names of the files that `makeRecordings` makes. */
export const MADE_NAMES: readonly string[] = [
  "reference.mp4",
  "damaged.mp4",
  "front.mp4",
  "foreign.mov",
  "whole.mkv",
  "cut.mkv",
];

/** Makes all of them in `folder`; what ffmpeg made for them is kept for all test files of the run. */
export function makeRecordings(folder: string): Recordings {
  const cache = join(inject("runFolder"), "recordings");
  mkdirSync(folder, { recursive: true });
  const at = (name: string): string => join(folder, name);
  const write = (name: string, bytes: Uint8Array): string => {
    writeFileSync(at(name), bytes);
    return at(name);
  };
  const long = { durationSeconds: 3 };
  const matroska = makeRecording(cache, { extension: "mkv", args: VIDEO, ...long });
  return {
    reference: write("reference.mp4", makeRecording(cache, { extension: "mp4", args: VIDEO, durationSeconds: 2 })),
    damaged: write("damaged.mp4", cutAtShare(makeRecording(cache, { extension: "mp4", args: VIDEO, ...long }), 0.6)),
    indexCut: write(
      "front.mp4",
      cutAtShare(makeRecording(cache, { extension: "mp4", args: `${VIDEO} -movflags +faststart`, ...long }), 0.6),
    ),
    foreign: write("foreign.mov", makeRecording(cache, { extension: "mov", args: "-c:v mjpeg -an" })),
    matroska: write("whole.mkv", matroska),
    matroskaCut: write("cut.mkv", matroska.slice(0, Math.floor(matroska.length * 0.6))),
  };
}

/** A copy under another name, in the same folder. */
export function copyOf(path: string, name: string): string {
  const target = join(path, "..", name);
  copyFileSync(path, target);
  return target;
}
