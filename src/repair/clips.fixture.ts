import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createMemorySource } from "../media/bytes/byte-source.ts";
import type { Movie } from "../media/isobmff/movie.ts";
import { forEachSample } from "../media/isobmff/sample-table.ts";
import { joinFragments } from "./fragmented.ts";
import type { RepairOutcome } from "./outcome.ts";
import { triage } from "./triage.ts";

/** A small recording that ffmpeg makes: moving picture and tone, then `options` and a name's ending. */
export function makeClip(options: string, ending = "mp4", seconds = 4, tone = 440): Uint8Array {
  const folder = mkdtempSync(join(tmpdir(), "reelmill-clip-"));
  try {
    const path = join(folder, `clip.${ending}`);
    const picture = `-f lavfi -i testsrc2=s=320x240:r=30:d=${seconds}`;
    // Its pitch rises: of a tone that stays as it is, packets may be like others, which no comparison can tell apart.
    const sound = `-f lavfi -i aevalsrc=0.125*sin(2*PI*(${tone}+3*t)*t):s=48000:d=${seconds}`;
    execFileSync("ffmpeg", [...`-v error -y ${picture} ${sound} ${options}`.split(" "), path]);
    return new Uint8Array(readFileSync(path));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** One packet of a recording. */
export interface ClipPacket {
  readonly trackId: number;
  readonly bytes: string;
  /** Presentation time in seconds, edit lists reckoned in. */
  readonly seconds: number;
}

/** Every packet of a healthy file, track by track. */
export function packetsOf(file: Uint8Array): ClipPacket[] {
  const source = createMemorySource(file);
  const { boxes, movies } = triage(source);
  const found = movies[0]?.movie;
  if (found === undefined) throw new Error("The file has no index.");
  const movie = found.isFragmented ? joinFragments(source, boxes, found) : found;
  return movie.tracks.flatMap((track) => {
    const packets: ClipPacket[] = [];
    const shift = editShift(movie, track);
    let ticks = 0;
    forEachSample(track.samples, (_sample, offset, sizeBytes, durationTicks, compositionTicks) => {
      const bytes = Buffer.from(file.subarray(offset, offset + sizeBytes)).toString("base64");
      packets.push({ trackId: track.trackId, bytes, seconds: (ticks + compositionTicks) / track.timescale + shift });
      ticks += durationTicks;
    });
    return packets;
  });
}

function editShift(movie: Movie, { edits, timescale }: Movie["tracks"][number]): number {
  const empty = edits.filter((edit) => edit.mediaTimeTicks < 0).reduce((sum, edit) => sum + edit.durationTicks, 0);
  const start = edits.find((edit) => edit.mediaTimeTicks >= 0)?.mediaTimeTicks ?? 0;
  return empty / movie.timescale - start / timescale;
}

/** The repaired file's bytes; the damaged ones where nothing needs writing. */
export function written(damaged: Uint8Array, { layout }: RepairOutcome): Uint8Array {
  if (layout === undefined) return damaged;
  const parts = layout.parts.map((part) =>
    part.kind === "bytes" ? part.bytes : damaged.subarray(part.startOffset, part.endOffset),
  );
  return new Uint8Array(Buffer.concat(parts));
}

/** How many packets of `original` are in `repaired`, how many others, and the worst error of their times in seconds. */
export function compare(
  original: Uint8Array,
  repaired: Uint8Array,
): { kept: number; foreign: number; worstSeconds: number } {
  const wanted = new Map(packetsOf(original).map((packet) => [packet.bytes, packet]));
  let [kept, foreign, worstSeconds] = [0, 0, 0];
  for (const packet of packetsOf(repaired)) {
    const match = wanted.get(packet.bytes);
    if (match === undefined) foreign++;
    else {
      kept++;
      worstSeconds = Math.max(worstSeconds, Math.abs(match.seconds - packet.seconds));
    }
  }
  return { kept, foreign, worstSeconds };
}

/** Offset and length of the first top-level box of a type. */
export function boxAt(file: Uint8Array, type: string): { readonly start: number; readonly end: number } {
  const box = triage(createMemorySource(file)).boxes.find((candidate) => candidate.type === type);
  if (box === undefined) throw new Error(`The file has no ${type}.`);
  return { start: box.offsetBytes, end: box.offsetBytes + box.sizeBytes };
}
