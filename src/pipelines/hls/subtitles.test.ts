import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { parseWebVtt } from "../../media/webvtt/parse-webvtt.ts";
import { cutSubtitles, planSubtitles, writeSubtitles } from "./subtitles.ts";

const TEXT = `WEBVTT

00:09.500 --> 00:10.500
before and after the first picture

00:15.000 --> 00:17.000 align:left
over a segment's end
in two lines

01:00:00.000 --> 01:00:01.000
long after the end
`;

it("cuts cues into segments by the pictures' clock", () => {
  const segments = cutSubtitles(TEXT, { originSeconds: 10, durationSeconds: 13, firstTimestampTicks: 0 });
  expect(segments.length).toBe(3);
  const times = segments.map((text) =>
    parseWebVtt(text).cues.map(({ startSeconds, endSeconds }) => ({ startSeconds, endSeconds })),
  );
  expect(times).toEqual([
    [
      { startSeconds: 0, endSeconds: 0.5 },
      { startSeconds: 5, endSeconds: 7 },
    ],
    [{ startSeconds: 5, endSeconds: 7 }],
    [],
  ]);
  expect(segments[1]).toContain("00:00:05.000 --> 00:00:07.000 align:left\nover a segment's end\nin two lines\n");
  for (const text of segments) expect(parseWebVtt(text).timestampMap).toEqual({ localSeconds: 0, mpegTicks: 0 });
});

it("keeps cues that overlap in their order, in each segment that they reach into, and no further than the last", () => {
  const cue = (name: string, start: number, end: number): string => `00:${start}.000 --> 00:${end}.000\n${name}\n`;
  const text = ["WEBVTT\n", cue("all", 10, 40), cue("edge", 12, 18), cue("early", 10, 13)].join("\n");
  const segments = cutSubtitles(text, { originSeconds: 0, durationSeconds: 24, firstTimestampTicks: 0 });
  const names = segments.map((segment) => segment.match(/^[a-z]+$/gm) ?? []);
  expect(names).toEqual([[], ["all", "early"], ["all", "edge", "early"], ["all"]]);
});

it("keeps what stands behind an empty line of a cue", () => {
  const text = "WEBVTT\n\n00:01.000 --> 00:02.000\nabove\n\nbelow\n\nnamed\n00:03.000 --> 00:04.000\nnext\n";
  const [segment = ""] = cutSubtitles(text, { originSeconds: 0, durationSeconds: 6, firstTimestampTicks: 0 });
  expect(parseWebVtt(segment).cues.map((cue) => cue.text)).toEqual(["above\nbelow", "next"]);
});

it("parts cues of which one holds nothing but empty lines, hundreds of thousands, at once", () => {
  const text = `WEBVTT\n\n00:01.000 --> 00:02.000\na${"\n".repeat(300_000)}b\n\n00:03.000 --> 00:04.000\nc\n`;
  const [segment = ""] = cutSubtitles(text, { originSeconds: 0, durationSeconds: 6, firstTimestampTicks: 0 });
  expect(parseWebVtt(segment).cues.map((cue) => cue.text)).toEqual(["a\nb", "c"]);
});

it("writes a long track in turns, and stops where it is told to", async () => {
  const folder = mkdtempSync(join(tmpdir(), "reelmill-subtitles-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "track.vtt");
  writeFileSync(path, TEXT);
  const packageFolder = join(folder, "package");
  mkdirSync(packageFolder);
  const stopping = new AbortController();
  const plan = { name: "subtitles", streamIndex: 0, language: "und", label: "Subtitles", isForced: false };
  const times = { originSeconds: 0, durationSeconds: 3600, firstTimestampTicks: 0 };
  setImmediate(() => stopping.abort());
  const writing = { targetSeconds: 6, encryption: undefined, signal: stopping.signal };
  await expect(writeSubtitles(plan, path, packageFolder, times, writing)).rejects.toMatchObject({ code: "ABORTED" });
  expect(readdirSync(join(packageFolder, "subtitles")).length).toBeLessThan(600);
});

it.each([
  ["I <3 you, if a < b", "I &lt;3 you, if a &lt; b"],
  ["Look: A --> B", "Look: A --&gt; B"],
  ["00:01.000 --> 00:02.000", "00:01.000 --&gt; 00:02.000"],
  ["Tom & Jerry &amp; Spike &#38; &frac12;", "Tom &amp; Jerry &amp; Spike &#38; &frac12;"],
  ["<i>slanted</i> <v Ann>said</v> <c.red>red</c> <00:00:01.500>now", null],
  ["<img src=x> </div>", "&lt;img src=x> &lt;/div>"],
])("has of the text %j what players show of it", (line, expected) => {
  const text = `WEBVTT\n\n00:01.000 --> 00:02.000\n${line}\n`;
  const [segment = ""] = cutSubtitles(text, { originSeconds: 0, durationSeconds: 6, firstTimestampTicks: 0 });
  expect(segment.split("\n").slice(4)).toEqual([expected ?? line, ""]);
  expect(parseWebVtt(segment).cues).toHaveLength(1);
});

it("names tracks once each, by title or language, and leaves out those made of pictures", () => {
  const base = { codec: "subrip", isDefault: false, timeBase: { numerator: 1, denominator: 1000 } };
  const times = { startSeconds: 0, durationSeconds: 1 };
  const track = (index: number, language: string | undefined, title: string | undefined, isText: boolean) => ({
    ...{ ...base, ...times, index, language, title, isText, purposes: [], isForced: index === 5 },
  });
  const tracks = [
    track(2, "ger", undefined, true),
    track(3, "ger", undefined, true),
    track(4, "not a language", 'for "all"\n#EXTM3U', true),
    track(5, undefined, undefined, true),
    track(6, "eng", undefined, false),
  ];
  expect(planSubtitles(tracks)).toEqual([
    { name: "subtitles-1-de", streamIndex: 2, language: "de", label: "Deutsch", isForced: false, purposes: [] },
    { name: "subtitles-2-de", streamIndex: 3, language: "de", label: "Deutsch (2)", isForced: false, purposes: [] },
    {
      name: "subtitles-3-und",
      streamIndex: 4,
      language: "und",
      label: "for  all  #EXTM3U",
      isForced: false,
      purposes: [],
    },
    { name: "subtitles-4-und", streamIndex: 5, language: "und", label: "Subtitles 4", isForced: true, purposes: [] },
  ]);
});
