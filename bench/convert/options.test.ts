import { describe, expect, it } from "vitest";
import { parseConvertBenchOptions, USAGE } from "./options.ts";

describe("the command line", () => {
  it("measures reelmill convert once, on a minute", () => {
    const options = parseConvertBenchOptions([]);
    expect(options).toMatchObject({ seconds: 60, rounds: 1, sliceSeconds: undefined, markdown: false, keep: false });
    expect(options?.command).toMatch(/reelmill'? convert \{in\} --to \{to\} --speed \{speed\} --reencode -o \{out\}$/);
  });

  it("reads switches", () => {
    const options = parseConvertBenchOptions(
      "--filter av1 --seconds 4 --source s.mp4 --rounds 1 --slices 10 --work /w --json a.json".split(" "),
    );
    expect(options).toMatchObject({
      filter: /av1/,
      seconds: 4,
      rounds: 1,
      sliceSeconds: 10,
      workFolder: "/w",
      jsonPath: "a.json",
      sourcePath: "s.mp4",
    });
    expect(parseConvertBenchOptions(["--help"])).toBeUndefined();
    expect(USAGE).toMatch(/^Usage: npm run bench:convert -- /);
  });

  it.each(["--rounds 0", "--seconds 1.5", "--slices 0", "--nonsense"])("refuses %s", (line) => {
    expect(() => parseConvertBenchOptions(line.split(" "))).toThrow(expect.objectContaining({ code: "USAGE" }));
  });
});
