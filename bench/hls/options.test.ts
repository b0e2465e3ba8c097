import { describe, expect, it } from "vitest";
import { rungsOf } from "./ladders.ts";
import { parseHlsBenchOptions } from "./options.ts";
import { perRungCommand, singleCommand } from "./plain-commands.ts";

describe("the command line", () => {
  it("measures reelmill hls once, on a minute of 1080p", () => {
    const options = parseHlsBenchOptions([]);
    expect(options).toMatchObject({ height: 1080, seconds: 60, rounds: 1, preset: "medium", markdown: false });
    expect(options?.command).toMatch(/reelmill'? hls \{in\} -o \{out\} --ladder \{ladder\} --preset \{preset\}/);
    expect(parseHlsBenchOptions(["--help"])).toBeUndefined();
  });

  it.each(["--height 480", "--seconds 0", "--rounds x", "--nonsense"])("refuses %s", (line) => {
    expect(() => parseHlsBenchOptions(line.split(" "))).toThrow(expect.objectContaining({ code: "USAGE" }));
  });
});

describe("what Reelmill is held against", () => {
  it.each([1080, 720, 360] as const)("has five rungs up to %i, in every way to make them the same", (height) => {
    const rungs = rungsOf(height);
    expect(rungs).toHaveLength(5);
    expect(rungs[0]?.heightPixels).toBe(height);
    const task = { source: "/in put.mp4", outFolder: "/out", rungs, preset: "medium" };
    for (const command of [perRungCommand(task), singleCommand(task)]) {
      expect(command).toContain("'/in put.mp4'");
      for (const { widthPixels, heightPixels, kilobitsPerSecond } of rungs) {
        expect(command).toContain(`scale=${widthPixels}:${heightPixels}`);
        expect(command).toMatch(new RegExp(`-b:v(:\\d)? ${kilobitsPerSecond}k `));
      }
    }
    expect(perRungCommand(task).match(/ffmpeg /g)).toHaveLength(6);
    expect(singleCommand(task).match(/ffmpeg /g)).toHaveLength(1);
  });
});
