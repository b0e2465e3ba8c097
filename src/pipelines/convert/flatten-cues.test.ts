import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Cue, doOverlap, flattenCues, parseScript, serializeScript } from "./flatten-cues.ts";

const cue = (startMs: number, endMs: number, text: string, style = "Default"): Cue => ({ startMs, endMs, style, text });

const cues = fc.array(
  fc
    .tuple(fc.nat({ max: 30 }), fc.nat({ max: 12 }), fc.constantFrom("a", "b", "{\\i1}c{\\i0}\\Nd", "e,f", "5"))
    .map(([start, length, text]) => cue(start * 100, (start + length) * 100, text)),
  { maxLength: 8 },
);

/** What is shown at a time, each text once. */
const shownAt = (list: readonly Cue[], atMs: number): ReadonlySet<string> =>
  new Set(list.filter(({ startMs, endMs }) => startMs <= atMs && atMs < endMs).map(({ text }) => text));

describe("cues that overlap", () => {
  it("become cues that follow each other, with the lines of all", () => {
    const flat = flattenCues([cue(500, 4500, "{\\i1}First"), cue(1500, 2000, "Second", "Top")]);
    expect(flat).toEqual([
      cue(500, 1500, "{\\i1}First"),
      cue(1500, 2000, "{\\i1}First\\N{\\rTop}Second"),
      cue(2000, 4500, "{\\i1}First"),
    ]);
  });

  it("show at any time what they showed", () => {
    fc.assert(
      fc.property(cues, (list) => {
        const flat = flattenCues(list);
        expect(doOverlap(flat)).toBe(false);
        for (let atMs = 50; atMs < 4300; atMs += 100) {
          const wanted = shownAt(list, atMs);
          const [found = "", ...more] = shownAt(flat, atMs);
          expect(more).toEqual([]);
          expect(found.length).toBe([...wanted].join("\\N{\\rDefault}").length);
          for (const text of wanted) expect(found).toContain(text);
        }
      }),
    );
  });

  it("are told from those that follow each other, in whichever order they stand", () => {
    expect(doOverlap([cue(0, 10, "a"), cue(10, 20, "b"), cue(15, 15, "c")])).toBe(false);
    expect(doOverlap([cue(5, 20, "a"), cue(0, 10, "b")])).toBe(true);
  });

  it("show eight at a time, however many there are", () => {
    const many = Array.from({ length: 100_000 }, (_, index) => cue(index, 200_000, String(index)));
    const flat = flattenCues(many);
    expect(flat.at(-1)?.text.match(/\d+/g)).toEqual(Array.from({ length: 8 }, (_, index) => String(99_992 + index)));
    expect(flat).toHaveLength(100_000);
  });
});

describe("a script", () => {
  const head = ["[V4+ Styles]", "Style: Default,Arial,16", "[Events]"];

  it("is read as it was written", () => {
    fc.assert(
      fc.property(cues, (list) => {
        const script = { head, cues: list };
        expect(parseScript(serializeScript(script))).toEqual(script);
      }),
    );
    const late = { head, cues: [cue(360_000_010, 360_001_990, "a")] };
    expect(serializeScript(late)).toContain("Dialogue: 0,100:00:00.01,100:00:01.99,Default,,0,0,0,,a");
    expect(parseScript(serializeScript(late))).toEqual(late);
  });

  it("is not read where a cue's times are none, or its end is not told", () => {
    expect(parseScript("Dialogue: 0,0:00:01.00,soon,Default,,0,0,0,,a")).toBeUndefined();
    expect(parseScript("Dialogue: 0,0:00:00.50,1193:02:47.79,Default,,0,0,0,,a")).toBeUndefined();
  });
});
