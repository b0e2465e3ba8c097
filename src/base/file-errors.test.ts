import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { translateInputError, translateOutputError } from "./file-errors.ts";

it.each([
  [join(tmpdir(), "none", "a.mp4"), "its folder does not exist"],
  // As /proc/a.mp4, which cannot be made though /proc is there.
  [join(tmpdir(), "a.mp4"), "its folder takes no new files"],
])("tells a folder that is missing from one that takes no files: %s", (path, what) => {
  const error = translateOutputError(path, Object.assign(new Error("no such file"), { code: "ENOENT" }));
  expect(error).toMatchObject({ code: "OUTPUT_UNWRITABLE", message: `${path} cannot be written: ${what}.` });
});

it.each([
  ["https://example.org/a.mp4", "Files are taken, not addresses: fetch it first."],
  ["a\ufffd.mp4", "If it is there, its name is not in UTF-8: rename it."],
  ["c:/a.mp4", ""],
])("says what to do about a name that no file has: %s", (path, advice) => {
  const missing = Object.assign(new Error("no such file"), { code: "ENOENT" });
  expect(translateInputError(path, missing)).toMatchObject({ code: "INPUT_NOT_FOUND", advice });
  const forbidden = Object.assign(new Error("forbidden"), { code: "EACCES" });
  expect(translateInputError(path, forbidden)).toMatchObject({ code: "INPUT_UNREADABLE", advice: "" });
});
