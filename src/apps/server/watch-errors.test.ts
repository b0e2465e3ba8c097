import { expect, it } from "vitest";
import { errorWithFiles } from "./watch-errors.ts";

const FILES = new Map([
  ["watch-1/ready/clip.mp4", "/share/ready/clip.mp4"],
  ["watch-1/ready/clip.mp4.mov", "/share/ready/clip.mp4.mov"],
]);

it.each([
  [
    "OBJECT_NOT_FOUND",
    "There is no object watch-1/ready/clip.mp4.mov.",
    "INPUT_NOT_FOUND",
    "clip.mp4.mov is not in its folder any more.",
  ],
  [
    "REFERENCE_MISMATCH",
    "watch-1/ready/clip.mp4.mov does not fit watch-1/ready/clip.mp4.",
    "REFERENCE_MISMATCH",
    "clip.mp4.mov does not fit clip.mp4.",
  ],
  [
    "REFERENCE_UNUSABLE",
    "The reference watch-1/ready/found by itself.mp4 does not play.",
    "REFERENCE_UNUSABLE",
    "The reference found by itself.mp4 does not play.",
  ],
  ["OBJECT_NOT_FOUND", "There is no object other.mp4.", "OBJECT_NOT_FOUND", "There is no object other.mp4."],
] as const)("speaks of files, not of objects (%s)", (code, message, expectedCode, expected) => {
  expect(errorWithFiles({ code, message, details: 1 }, FILES)).toEqual({
    code: expectedCode,
    message: expected,
    details: 1,
  });
});
