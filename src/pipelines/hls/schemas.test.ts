import { expect, it } from "vitest";
import { PARAMS } from "./schemas.ts";

const KEYED = { encryptKey: "match", encryptKeyUri: "https://keys.example/match" };

it.each([
  [{ segments: "ts", codecs: ["h264", "hevc"] }, "hevc needs fragmented MP4"],
  [{ ladder: { rungs: [{ height: 360, kbps: 800, codec: "av1" }] } }, "av1, which is not among codecs (h264)"],
  [KEYED, "each of which must be a file"],
  [{ encryptKey: "match", segments: "ts" }, "one of them is missing"],
  [{ encryptKeyUri: "https://keys.example/match", segments: "ts" }, "one of them is missing"],
  [{ encryptMethod: "sample-aes" }, "there is none"],
])("%j is refused before it becomes a job", (settings, words) => {
  const { error } = PARAMS.safeParse({ input: "uploads/a.mp4", ...settings });
  expect(error?.issues.map(({ message }) => message)).toEqual([expect.stringContaining(words)]);
});

it.each([{}, { ...KEYED, segments: "ts" }, { ...KEYED, encryptMethod: "sample-aes" }, { codecs: ["hevc", "av1"] }])(
  "%j is taken",
  (settings) => expect(PARAMS.safeParse({ input: "uploads/a.mp4", ...settings }).error).toBeUndefined(),
);
