import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { reelmill } from "../e2e/workplace.fixture.ts";
import { listFaults, listUntruths } from "./faults.ts";
import { type Media, readMedia } from "./read-media.ts";
import { RECIPES, SMALL } from "./recipes.fixture.ts";
import { type Source, sourceOf } from "./sources.fixture.ts";

type Codec = "h264" | "hevc" | "vp9" | "av1";

const EVERY = RECIPES.filter((recipe) => !SMALL.includes(recipe)).map(({ id }) => id);
const EACH_KIND = SMALL.map(({ id }) => id);

/**
 * What each is converted to, with which switches; pictures of a wished quality are encoded even where they fit already.
 * H.264 is quick, so it gets every source; the others get short ones of all kinds, several in each, and one of each way in which their
 * containers differ.
 */
const CASES: readonly (readonly [string, Codec, readonly string[], readonly string[]])[] = [
  ["to h264", "h264", ["--quality", "26", "--preset", "ultrafast"], EVERY],
  [
    "to h264 without encoding again",
    "h264",
    [],
    [
      "vfr-mkv",
      "edit-list",
      "ts-large-time",
      "early-audio",
      "languages",
      "mp2-h264",
      "late-audio-ts",
      "early-audio-ts",
    ],
  ],
  ["to h264 with sound alone encoded", "h264", ["--audio-bitrate", "96"], ["late-audio-ts"]],
  ["to vp9", "vp9", ["--preset", "8"], ["ntsc", "late-audio-ps", "chapters", "srt", ...EACH_KIND]],
  ["to av1", "av1", ["--preset", "9"], ["hdr-hevc", "single-frame", ...EACH_KIND]],
  ["to hevc", "hevc", ["--quality", "26", "--preset", "ultrafast"], ["anamorphic", "hdr-hevc", ...EACH_KIND]],
];

let folder: string;
/** What was read of the sources, by name. */
const readings = new Map<string, Promise<Media>>();

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "reelmill-convert-"));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function readSource(source: Source): Promise<Media> {
  const reading = readings.get(source.id) ?? readMedia(source.path);
  readings.set(source.id, reading);
  return reading;
}

describe.each(CASES)("%s", (title, codec, switches, ids) => {
  const container = codec === "vp9" || codec === "av1" ? "webm" : "mp4";

  it.each(ids.map((id) => [id, RECIPES.find((recipe) => recipe.id === id)?.facts.what ?? ""]))("%s: %s", async (id) => {
    const source = sourceOf(id);
    const output = join(folder, `${id} ${title}.${container}`);
    const { status, error } = await reelmill([
      ...["convert", source.path, "--to", codec, "--speed", "fast", ...switches, "-o", output],
    ]);
    expect({ status, error: status === 0 ? "" : error }).toEqual({ status: 0, error: "" });
    const [before, after] = await Promise.all([readSource(source), readMedia(output)]);
    expect(after.look.codec).toBe(codec);
    expect(listUntruths(before, source.facts)).toEqual([]);
    expect(listFaults(before, after, source.facts, container)).toEqual([]);
  });
});
