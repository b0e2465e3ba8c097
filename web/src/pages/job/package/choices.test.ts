import { describe, expect, it } from "vitest";
import { qualityChoices, trackChoices } from "./choices.ts";

describe("what can be chosen", () => {
  it("are the rungs, the largest first, each but once", () => {
    const level = (uri: string, height: number, bitrate: number) => ({ uri, height, width: 2 * height, bitrate });
    const levels = [level("a", 126, 200_000), level("b", 720, 3_128_000), level("b", 720, 3_384_000)];
    expect(qualityChoices(levels)).toEqual([
      { id: "auto", label: "Automatic" },
      { id: "1", label: "720p · 3.13 Mbit/s" },
      { id: "0", label: "126p · 200 kbit/s" },
    ]);
  });

  it("are the languages, each but once, with nothing in their names that acts", () => {
    const tracks = [
      { name: "English", lang: "en" },
      { name: "Deutsch\u202e", lang: "de" },
      { name: "English", lang: "en" },
    ];
    const choices = trackChoices(tracks);
    expect(choices.map(({ id }) => id)).toEqual(["0", "1"]);
    expect(choices[1]?.label).not.toContain("\u202e");
  });
});
