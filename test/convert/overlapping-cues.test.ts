import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { reelmill } from "../e2e/workplace.fixture.ts";

const folder = mkdtempSync(join(tmpdir(), "reelmill-cues-"));
const at = (name: string): string => join(folder, name);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function run(program: "ffmpeg" | "ffprobe", args: readonly string[]): string {
  return execFileSync(program, ["-v", "error", ...args], { cwd: folder, encoding: "utf8" });
}

const STYLES = `[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, Bold, Italic, Underline, StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, Alignment, MarginL, MarginR, MarginV, Encoding
Style: Default,Arial,16,&Hffffff,&Hffffff,&H0,&H0,0,0,0,0,100,100,0,0,1,1,0,2,10,10,10,0
Style: Sign,Arial,20,&H0000ff,&Hffffff,&H0,&H0,1,0,0,0,100,100,0,0,1,1,0,8,10,10,10,0`;

/** Tracks with two lines at a time, with one at a time, and with two of different styles. */
beforeAll(() => {
  const first = "1\n00:00:00,500 --> 00:00:04,500\n<i>First</i> line\n\n";
  writeFileSync(at("over.srt"), `${first}2\n00:00:01,500 --> 00:00:02,000\nSecond\n`);
  writeFileSync(at("plain.srt"), "1\n00:00:00,503 --> 00:00:01,000\nAlone\n\n2\n00:00:01,000 --> 00:00:02,000\nThen\n");
  const events = ["0:00:01.00,0:00:04.00,Default,,0,0,0,,{\\i1}Said", "0:00:02.00,0:00:03.00,Sign,,0,0,0,,Shown"];
  const dialogues = events.map((event) => `Dialogue: 0,${event}`).join("\n");
  const format = "Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text";
  writeFileSync(
    at("styled.ass"),
    `[Script Info]\nScriptType: v4.00+\n\n${STYLES}\n\n[Events]\n${format}\n${dialogues}\n`,
  );
  const inputs = [
    "-f",
    "lavfi",
    "-i",
    "testsrc2=s=64x48:r=10:d=5",
    "-i",
    "over.srt",
    "-i",
    "plain.srt",
    "-i",
    "styled.ass",
  ];
  const maps = ["-map", "0", "-map", "1", "-map", "2", "-map", "3"];
  const about = [
    "-metadata:s:s:0",
    "language=deu",
    "-metadata:s:s:0",
    "title=Signs",
    "-disposition:s:0",
    "hearing_impaired",
  ];
  const codecs = ["-c:v", "libx264", "-preset", "ultrafast", "-c:s", "srt", "-c:s:2", "ass", "-output_ts_offset", "7"];
  run("ffmpeg", [...inputs, ...maps, ...about, ...codecs, "source.mkv"]);
});

async function convert(output: string, switches: readonly string[]): Promise<string> {
  const { status, error } = await reelmill(["convert", at("source.mkv"), ...switches, "-o", at(output)]);
  expect({ status, error: status === 0 ? "" : error }).toEqual({ status: 0, error: "" });
  return at(output);
}

/** A track as SubRip, without its numbers. */
function cuesOf(path: string, track: number): readonly string[] {
  const text = run("ffmpeg", ["-i", path, "-map", `0:s:${track}`, "-f", "srt", "-"]);
  return text
    .replaceAll("\r", "")
    .trim()
    .split("\n\n")
    .map((cue) => cue.split("\n").slice(1).join("|"));
}

describe("subtitles that overlap", () => {
  it("become cues that follow each other in MP4, with the lines of all and their marks", async () => {
    const path = await convert("out.mp4", ["--to", "h264"]);
    expect(cuesOf(path, 0)).toEqual([
      "00:00:00,500 --> 00:00:01,500|<i>First</i> line",
      "00:00:01,500 --> 00:00:02,000|<i>First</i> line|Second",
      "00:00:02,000 --> 00:00:04,500|<i>First</i> line",
    ]);
    expect(cuesOf(path, 1)).toEqual(["00:00:00,503 --> 00:00:01,000|Alone", "00:00:01,000 --> 00:00:02,000|Then"]);
    expect(cuesOf(path, 2)[1]).toMatch(/^00:00:02,000 --> 00:00:03,000\|<i>Said\|<\/i>.*<b>.*color="#ff0000">Shown/);
    const shown = [
      "-show_entries",
      "stream_tags=language:stream_disposition=hearing_impaired",
      "-select_streams",
      "s:0",
    ];
    const labels = run("ffprobe", [...shown, "-of", "default=nw=1", path]);
    expect(labels).toContain("TAG:language=deu");
    expect(labels).toContain("DISPOSITION:hearing_impaired=1");
  });

  it("stay as they are in WebM", async () => {
    const path = await convert("out.webm", ["--to", "vp9", "--preset", "8"]);
    const times = cuesOf(path, 0).map((cue) => cue.split("|")[0]);
    expect(times).toEqual(["00:00:00,500 --> 00:00:04,500", "00:00:01,500 --> 00:00:02,000"]);
  });
});
