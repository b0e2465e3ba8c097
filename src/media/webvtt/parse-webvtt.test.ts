import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ReelmillError } from "../../base/errors.ts";
import { parseWebVtt } from "./parse-webvtt.ts";

describe("a WebVTT segment", () => {
  it("has its timestamp map and cue times", () => {
    const text =
      "\ufeffWEBVTT a title\r\nX-TIMESTAMP-MAP=MPEGTS:900000,LOCAL:00:00:01.000\r\n\r\n1\r\n00:01.500 --> 01:00:02.000 line:0\r\nText\r\n";
    expect(parseWebVtt(text)).toEqual({
      timestampMap: { localSeconds: 1, mpegTicks: 900_000 },
      cues: [{ startSeconds: 1.5, endSeconds: 3602, text: "Text" }],
    });
  });

  it("may have lines of blanks", () => {
    const text = "WEBVTT\n\n00:01.000 --> 00:02.000\nText\n\n \n\t\nNOTE\nno cue\n";
    expect(parseWebVtt(text).cues).toHaveLength(1);
  });

  it("has no map where none stands in its header", () => {
    expect(parseWebVtt("WEBVTT\n\nNOTE\nX-TIMESTAMP-MAP=LOCAL:00:00.000,MPEGTS:0\n").timestampMap).toBeUndefined();
  });

  it.each([
    ["WEBVTTX\n", /line 1: it is "WEBVTTX"/],
    ["WEBVTT\nX-TIMESTAMP-MAP=LOCAL:00:00.000\n", /line 2: .*MPEGTS/],
    ["WEBVTT\nX-TIMESTAMP-MAP=LOCAL:00:00.000,MPEGTS:8589934592\n", /line 2: .*33 bits/],
    ["WEBVTT\n\n00:01 --> 00:02.000\n", /line 3: the time is "00:01"/],
    ["WEBVTT\n\n00:03.000 --> 00:02.000\n", /line 3: the cue ends at 00:02.000, before/],
    ["WEBVTT\n\n00:01.000 --> 00:02.000\nText\n\nMore\n", /line 6: "More" begins no cue/],
  ])("is refused with its line: %j", (text, message) => {
    expect(() => parseWebVtt(text)).toThrow(message);
  });

  it("is read or refused, whatever it holds", () => {
    const part = fc.oneof(fc.string(), fc.constantFrom("\n", "-->", "00:01.000", "X-TIMESTAMP-MAP=", "LOCAL:", ","));
    fc.assert(
      fc.property(fc.array(part), (parts) => {
        try {
          expect(parseWebVtt(`WEBVTT\n${parts.join("")}`).cues).toBeDefined();
        } catch (error) {
          expect(error).toBeInstanceOf(ReelmillError);
        }
      }),
    );
  });
});
