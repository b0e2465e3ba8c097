import { expect, it } from "vitest";
import { keyNameFor } from "./link-upload.ts";

it.each([
  ["Hochzeit 1.MP4", "Hochzeit 1.MP4"],
  ["C:\\fakepath\\a.mp4", "C:_fakepath_a.mp4"],
  ["../../etc/passwd", "_.._.._etc_passwd"],
  [".hidden.mov", "_.hidden.mov"],
  ["\u200b.reelmill-x", "_.reelmill-x"],
  ["clip\u202e4pm.exe", "clip_4pm.exe"],
  ["\ud800.mp4", "\ufffd.mp4"],
  ["...", "upload"],
  ["", "upload"],
])("makes of the file name %j the end of a key", (name, expected) => {
  expect(keyNameFor(name)).toBe(expected);
});

it("keeps the end of a long name", () => {
  expect(keyNameFor(`${"ä".repeat(300)}.mp4`)).toBe(`${"ä".repeat(98)}.mp4`);
  expect(keyNameFor(`${"😀".repeat(300)}.mp4`)).toBe(`${"😀".repeat(49)}.mp4`);
});
