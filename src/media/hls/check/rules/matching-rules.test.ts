import { describe, expect, it } from "vitest";
import { playlistOf } from "../playlist-of.fixture.ts";
import type { MeasuredPlaylist } from "../presentation.ts";
import { Verdict } from "../rule.ts";
import { type SegmentEntry, SegmentTable } from "../segment-table.ts";
import { MATCHING_RULES } from "./matching-rules.ts";

type Line = Partial<SegmentEntry> & Pick<SegmentEntry, "durationSeconds">;

const HOUR_MS = 3_600_000;

function media(path: string, lines: readonly Line[]): MeasuredPlaylist {
  const segments = new SegmentTable();
  for (const line of lines) {
    segments.push({ isDiscontinuity: false, isGap: false, keys: [], ...line }, undefined, undefined);
  }
  return { ...playlistOf(6, [], path), segments };
}

function outcomeOf(id: string, playlists: readonly MeasuredPlaylist[]): readonly [string, readonly string[]] {
  const rule = MATCHING_RULES.find((one) => one.id === id);
  if (rule === undefined) throw new Error(`There is no rule ${id}.`);
  const presentation = { playlists, multivariant: undefined, rootPath: "main.m3u8" };
  const verdict = new Verdict();
  rule.check({ ...presentation, variants: [], iFrames: [], renditions: [], faults: [] }, verdict);
  const { outcome, findings } = verdict.finish(rule);
  return [outcome, findings.map(({ where }) => where)];
}

/** Two parts with an hour of dates between them, the last segment of the first one short. */
function spliced(isDated: readonly boolean[]): readonly Line[] {
  const lines: readonly (Line & { readonly dateMs: number })[] = [
    { durationSeconds: 6, dateMs: 0 },
    { durationSeconds: 6, dateMs: 6000 },
    { durationSeconds: 0.5, dateMs: 12_000 },
    { durationSeconds: 6, isDiscontinuity: true, dateMs: 12_500 + HOUR_MS },
  ];
  return lines.map(({ dateMs, ...line }, index) => ({ ...line, ...(isDated[index] ? { dateMs } : {}) }));
}

const ALL = [true, true, true, true];

describe("dates of the same media", () => {
  it.each([
    ["of every segment", ALL, ALL],
    ["of each part's first segment", [true, false, false, true], ALL],
    ["of the first part alone in one of them", [true, true, true, false], ALL],
    ["of the first part alone in the other", ALL, [true, true, true, false]],
    ["of different segments", [true, false, false, true], [false, true, false, true]],
  ])("may jump where there is a discontinuity: %s", (_what, first, other) => {
    const playlists = [media("a.m3u8", spliced(first)), media("b.m3u8", spliced(other))];
    expect(outcomeOf("program-date-times", playlists)).toEqual(["passed", []]);
  });

  it("may be beyond all dates where segments last for ever", () => {
    const long = { durationSeconds: 1e15 };
    const playlists = ["a.m3u8", "b.m3u8"].map((path, index) =>
      media(path, [{ ...long, dateMs: index * HOUR_MS }, long, { ...long, dateMs: 0 }]),
    );
    expect(outcomeOf("program-date-times", playlists)).toEqual(["failed", ["b.m3u8, at 0 s"]]);
  });

  it("do not jump in one playlist alone, nor behind the discontinuity, nor are they missing", () => {
    const lines = spliced(ALL);
    const late = lines.map((line, index) => ({ ...line, dateMs: (line.dateMs ?? 0) + (index === 3 ? HOUR_MS : 0) }));
    const playlists = [media("a.m3u8", lines), media("b.m3u8", late), media("c.m3u8", [{ durationSeconds: 18.5 }])];
    expect(outcomeOf("program-date-times", playlists)).toEqual(["failed", ["c.m3u8", "b.m3u8, at 12.5 s"]]);
  });
});

describe("discontinuities", () => {
  it("stand at the same times and begin with the same number", () => {
    const [first, same] = ["a.m3u8", "b.m3u8"].map((path) => media(path, spliced(ALL))) as [
      MeasuredPlaylist,
      MeasuredPlaylist,
    ];
    const none = media("none.m3u8", [{ durationSeconds: 18.5 }]);
    const later = { ...same, path: "later.m3u8", playlist: { ...same.playlist, discontinuitySequence: 1 } };
    const found = outcomeOf("discontinuities-match", [first, same, none, later]);
    expect(found).toEqual(["failed", ["none.m3u8", "later.m3u8"]]);
  });
});
