import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { inject } from "vitest";
import { turnPictures } from "../support/turn-pictures.ts";
import { RECIPES, type Recipe, type SourceFacts } from "./recipes.fixture.ts";

/** A generated file and what it is. */
export interface Source {
  readonly id: string;
  readonly path: string;
  readonly facts: SourceFacts;
}

const PICTURE_HEIGHT = 180;
const MASTER_SECONDS = 6;

/**
 * Three scenes of moving pictures; across their top runs the picture's number in ten black and white blocks, so that
 * no picture looks like another one even when both are scaled down to a thumbnail.
 */
const MASTER_PICTURES = [
  `testsrc2=s=320x${PICTURE_HEIGHT}:r=50:d=2[first]`,
  `mandelbrot=s=320x${PICTURE_HEIGHT}:r=50:start_scale=0.8:end_scale=0.1:end_pts=100,trim=duration=2[second]`,
  `testsrc2=s=320x${PICTURE_HEIGHT}:r=50:d=2,negate,hflip[third]`,
  "[first][second][third]concat=n=3,format=yuv420p[scenes]",
  `nullsrc=s=10x2:r=50:d=${MASTER_SECONDS},format=gray,geq=lum='255*mod(floor(N/pow(2\\,X))\\,2)'[bits]`,
  "[bits]scale=320:60:flags=neighbor,format=yuv420p[number]",
  "[scenes][number]overlay",
].join(";");

/** Tones that glide under noise: a shift of a fraction of a millisecond can be told. */
const MASTER_SOUND =
  "aevalsrc='0.25*sin(2*PI*t*(330+30*sin(t)))+0.16*random(0)-0.08" +
  `|0.25*sin(2*PI*t*(440+50*sin(t)))+0.16*random(1)-0.08':s=48000:d=${MASTER_SECONDS}`;

const CHAPTERS = `;FFMETADATA1
title=Three scenes
artist=A generator
[CHAPTER]
TIMEBASE=1/1000
START=0
END=1500
title=Opening
[CHAPTER]
TIMEBASE=1/1000
START=1500
END=4000
title=Mandelbrot & more
`;

const SUBTITLES = `1
00:00:00,500 --> 00:00:01,500
Grüße, first line

2
00:00:02,000 --> 00:00:03,250
Second line
`;

/**
 * Makes the source of this name, or finds it where an earlier call has made it, be it another test file's: nobody changes it. Throws where ffmpeg is
 * missing or refuses, and where there is no source of the name.
 */
export function sourceOf(id: string): Source {
  const recipe = RECIPES.find((candidate) => candidate.id === id);
  if (recipe === undefined) throw new Error(`There is no source ${id}.`);
  const folder = join(inject("runFolder"), "sources");
  mkdirSync(folder, { recursive: true });
  writeText(folder, "chapters.txt", CHAPTERS);
  writeText(folder, "subtitles.srt", SUBTITLES);
  runFfmpeg(
    folder,
    ["-f", "lavfi", "-i", MASTER_PICTURES, "-f", "lavfi", "-i", MASTER_SOUND, ...words("-c:v rawvideo -c:a pcm_s16le")],
    "master.mkv",
  );
  runFfmpeg(folder, words("-f lavfi -i testsrc=s=160x120:d=1 -frames:v 1"), "cover.png");
  return { id, path: makeSource(folder, recipe), facts: recipe.facts };
}

/** Under a temporary name first: another test file may be about to read it. */
function writeText(folder: string, name: string, text: string): void {
  if (existsSync(join(folder, name))) return;
  const partial = join(folder, `partial-${process.pid}-${name}`);
  writeFileSync(partial, text);
  renameSync(partial, join(folder, name));
}

function makeSource(folder: string, recipe: Recipe): string {
  const name = `${recipe.id}.${recipe.extension}`;
  const finish = recipe.facts.isOnSide === true ? turnPictures : undefined;
  if (recipe.copy === undefined) return runFfmpeg(folder, words(recipe.args), name, finish);
  const encoded = `${recipe.id}.encoded.${recipe.copy.from ?? recipe.extension}`;
  runFfmpeg(folder, words(recipe.args), encoded);
  const { before = "", args } = recipe.copy;
  return runFfmpeg(folder, words(`${before} -i ${encoded} -map 0 -c copy ${args}`), name, finish);
}

/** Runs in `folder`, writes under a temporary name, finishes it there and renames. */
function runFfmpeg(folder: string, args: readonly string[], name: string, finish?: (path: string) => void): string {
  const path = join(folder, name);
  if (existsSync(path)) return path;
  const partial = `partial-${process.pid}-${name}`;
  // x265 talks to stderr on its own.
  execFileSync("ffmpeg", ["-hide_banner", "-nostdin", "-y", "-v", "error", ...args, partial], {
    cwd: folder,
    stdio: ["ignore", "pipe", "pipe"],
  });
  finish?.(join(folder, partial));
  renameSync(join(folder, partial), path);
  return path;
}

function words(text: string): string[] {
  return text.split(" ").filter((word) => word !== "");
}
