import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ReelmillError } from "../../base/errors.ts";
import { formatCount } from "../../base/units.ts";
import { fileArgument } from "../../ffmpeg/arguments.ts";
import { stillMatrixFilter } from "../../ffmpeg/picture-filters.ts";
import { runFfmpeg } from "../../ffmpeg/run.ts";
import type { FragmentIndex } from "../../media/isobmff/index-fragments.ts";
import { HELD_GLOBAL_ARGUMENTS, heldFilters, heldInput } from "./held-pictures.ts";
import type { Rung } from "./ladder.ts";
import type { PackageHooks } from "./packaging.ts";
import { vttTime } from "./subtitles.ts";

/** Names within the package. */
export const POSTER_FILE = "poster.jpg";
export const THUMBNAILS_FOLDER = "thumbnails";
export const THUMBNAILS_FILE = "index.vtt";

const POSTER_POSITION = 0.1;
/** How finely its place is found. */
const POSTER_FRAMES_PER_SECOND = 30;
/** Long side of a small picture. */
const LONG_PIXELS = 160;
const COLUMNS = 10;
const ROWS = 10;
/** Longer recordings have them farther apart. */
const MAX_PICTURES = 2000;

/** A rung with where its encoded file lies. */
export interface PictureSource {
  readonly rung: Rung;
  readonly path: string;
  readonly index: FragmentIndex;
}

/** Writes the picture shown at a tenth of the length as JPEG. Throws OUTPUT_NOT_VERIFIED where none came out, and as `runFfmpeg`. */
export async function writePoster(
  { path }: PictureSource,
  folder: string,
  durationSeconds: number,
  { tools, signal }: Pick<PackageHooks, "tools" | "signal">,
): Promise<void> {
  const startSeconds = POSTER_POSITION * durationSeconds;
  const poster = join(folder, POSTER_FILE);
  const held = heldFilters({ startSeconds, pictures: 1, framesPerSecond: POSTER_FRAMES_PER_SECOND });
  await runFfmpeg(tools, {
    globalArguments: HELD_GLOBAL_ARGUMENTS,
    inputs: [heldInput(path, startSeconds)],
    outputArguments: [
      ...["-vf", `${held},${stillMatrixFilter("pc")}`],
      // A name that is written again and again is no pattern.
      ...["-fps_mode", "passthrough", "-q:v", "3", "-f", "image2", "-update", "1", fileArgument(poster)],
    ],
    signal,
  });
  if (!existsSync(poster)) throw new ReelmillError("OUTPUT_NOT_VERIFIED", "No poster came out of the encoder.");
}

/** Writes sheets of small pictures, one for each key picture or every so many, and the WebVTT file that says which is where. Throws OUTPUT_NOT_VERIFIED where sheets are missing, and as `runFfmpeg`. */
export async function writeThumbnails(
  source: PictureSource,
  folder: string,
  durationSeconds: number,
  { tools, signal }: Pick<PackageHooks, "tools" | "signal">,
): Promise<void> {
  const { path, rung, index } = source;
  const place = join(folder, THUMBNAILS_FOLDER);
  mkdirSync(place);
  const sheet = planSheet(index, rung, durationSeconds);
  const filters = [
    // Not every decoder heeds -skip_frame.
    "select=key",
    `select=not(mod(n\\,${sheet.step}))`,
    `scale=${sheet.widthPixels}:${sheet.heightPixels}`,
    `tile=${sheet.columns}x${sheet.rows}`,
    stillMatrixFilter("pc"),
  ];
  await runFfmpeg(tools, {
    inputs: [{ path, options: ["-skip_frame", "nokey"] }],
    outputArguments: [
      ...["-vf", filters.join(","), "-fps_mode", "passthrough", "-q:v", "5", "-f", "image2"],
      // ffmpeg takes the whole path for a pattern, the user's own folders as well.
      join(fileArgument(place).replaceAll("%", "%%"), "sheet-%03d.jpg"),
    ],
    signal,
  });
  const planned = Math.ceil((sheet.seconds.length - 1) / (sheet.columns * sheet.rows));
  const found = readdirSync(place).length;
  if (found !== planned) {
    const problem = `${formatCount(planned, "sheet")} of thumbnails were planned, there are ${found}.`;
    throw new ReelmillError("OUTPUT_NOT_VERIFIED", problem);
  }
  writeFileSync(join(place, THUMBNAILS_FILE), describeThumbnails(sheet));
}

interface Sheet {
  readonly widthPixels: number;
  readonly heightPixels: number;
  readonly columns: number;
  readonly rows: number;
  /** Of so many key pictures one is taken. */
  readonly step: number;
  /** When each begins, and the end of the last. */
  readonly seconds: readonly number[];
}

/** Where and how large the small pictures are. */
export function planSheet({ fragments, timescale }: FragmentIndex, rung: Rung, durationSeconds: number): Sheet {
  const step = Math.max(1, Math.ceil(fragments.length / MAX_PICTURES));
  const starts = [
    ...fragments
      .values()
      .filter((_fragment, index) => index % step === 0)
      .map(({ startTicks }) => startTicks / timescale),
  ];
  const scale = Math.min(1, LONG_PIXELS / Math.max(rung.widthPixels, rung.heightPixels));
  const even = (side: number): number => Math.max(2, 2 * Math.round((side * scale) / 2));
  return {
    widthPixels: even(rung.widthPixels),
    heightPixels: even(rung.heightPixels),
    columns: Math.min(COLUMNS, starts.length),
    rows: Math.min(ROWS, Math.ceil(starts.length / COLUMNS)),
    step,
    seconds: [...starts, Math.max(durationSeconds, starts.at(-1) ?? 0)],
  };
}

/** The WebVTT file of a sheet: each cue's text is a picture's place, as players take it. */
export function describeThumbnails({ seconds, columns, rows, widthPixels, heightPixels }: Sheet): string {
  const cues = seconds.slice(0, -1).map((start, index) => {
    const sheet = String(Math.floor(index / (columns * rows)) + 1).padStart(3, "0");
    const cell = index % (columns * rows);
    const place = [
      (cell % columns) * widthPixels,
      Math.floor(cell / columns) * heightPixels,
      widthPixels,
      heightPixels,
    ];
    const end = seconds[index + 1] ?? start;
    return `${vttTime(start)} --> ${vttTime(end)}\nsheet-${sheet}.jpg#xywh=${place.join(",")}\n`;
  });
  return `WEBVTT\n\n${cues.join("\n")}`;
}
