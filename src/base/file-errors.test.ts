import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { translateOutputError } from "./file-errors.ts";

it.each([
  [join(tmpdir(), "none", "a.mp4"), "its folder does not exist"],
  // As /proc/a.mp4, which cannot be made though /proc is there.
  [join(tmpdir(), "a.mp4"), "its folder takes no new files"],
])("tells a folder that is missing from one that takes no files: %s", (path, what) => {
  const error = translateOutputError(path, Object.assign(new Error("no such file"), { code: "ENOENT" }));
  expect(error).toMatchObject({ code: "OUTPUT_UNWRITABLE", message: `${path} cannot be written: ${what}.` });
});
