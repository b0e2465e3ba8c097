import { describe, expect, it } from "vitest";
import { parseThumbnails, thumbnailAt } from "./read-thumbnails.ts";

const vtt = (...places: readonly string[]): string =>
  `WEBVTT\n\n${places.map((place, index) => `00:0${index}.000 --> 00:0${index + 1}.000\n${place}\n`).join("\n")}`;

describe("thumbnails", () => {
  it("are parts of sheets on this server", () => {
    const found = parseThumbnails(
      vtt("sheet-001.jpg#xywh=0,0,160,90", "sheet-001.jpg#xywh=160,0,160,90"),
      "outputs/a b/",
    );
    expect(found[1]).toEqual({
      ...{ startSeconds: 1, x: 160, y: 0, widthPixels: 160, heightPixels: 90 },
      sheetUrl: "/v1/objects/outputs/a%20b/sheet-001.jpg",
    });
    expect(thumbnailAt(found, 1.5)).toBe(found[1]);
    expect(thumbnailAt(found, 99)).toBe(found[1]);
    expect(thumbnailAt(found, -1)).toBe(found[0]);
    expect(thumbnailAt([], 0)).toBeUndefined();
  });

  it.each([
    "https://elsewhere.example/a.jpg#xywh=0,0,160,90",
    "//elsewhere.example/a.jpg#xywh=0,0,160,90",
    "../../secret.jpg#xywh=0,0,160,90",
    "..#xywh=0,0,160,90",
    'a.jpg"); background: url("x#xywh=0,0,1,1',
    "a.jpg#xywh=0,0,160,9000000",
    "a.jpg#xywh=-1,0,160,90",
    "a.jpg",
    "<script>alert(1)</script>",
  ])("lead nowhere else: %s", (place) => expect(parseThumbnails(vtt(place), "outputs/a/")).toEqual([]));
});
