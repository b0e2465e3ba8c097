import { describe, expect, it } from "vitest";
import { isSameCodec } from "./codec-match.ts";

describe("a declared format", () => {
  it.each([
    ["avc1.64001F", "avc1.64001f"],
    ["av01.0.04M.10.0.110.09.16.09.0", "av01.0.04M.10"],
    ["mp4a.40.5", "mp4a.40.2"],
    ["mp4a.40.34", "mp4a.6B"],
  ])("%s may be measured as %s", (declared, measured) => expect(isSameCodec(declared, measured)).toBe(true));

  it.each([
    ["avc1.64001e", "avc1.64001f"],
    ["hvc1.1.6.L93.90", "hev1.1.6.L93.90"],
    ["av01.0.04M.100", "av01.0.04M.10"],
    ["mp4a.40.2", "mp4a.40.5"],
  ])("%s is not %s", (declared, measured) => expect(isSameCodec(declared, measured)).toBe(false));
});
