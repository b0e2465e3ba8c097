import { expect, it } from "vitest";
import { ReelmillError } from "../../base/errors.ts";
import { REFERENCE_ADVICE } from "../../repair/reference-advice.ts";
import { errorWithKeys, type Paths } from "../object-files.ts";
import { withKeys } from "./keys.ts";
import { adviseJob } from "./reference-advice.ts";

const PATHS: Paths = [
  { key: "uploads/1/clip.mp4", path: "/srv/data/objects/uploads/1/clip.mp4" },
  { key: "clip.mp4", path: "/clip.mp4" },
  { key: "outputs/j/clip.mp4", path: "/srv/data/objects/.reelmill-tmp/token/clip.mp4" },
];

it("names objects by their keys, and what lies beside them too", () => {
  const message =
    "/srv/data/objects/.reelmill-tmp/token/.clip.mp4.reelmill-01234567.part: Invalid data (/srv/data/objects/uploads/1/clip.mp4, /clip.mp4 a/b)";
  const result = withKeys(
    {
      input: "/srv/data/objects/uploads/1/clip.mp4",
      output: null,
      status: "failed",
      references: [],
      report: null,
      checks: [],
      notices: ["/srv/data/objects/uploads/1/clip.mp4.reelmill-undo"],
      error: { code: "OUTPUT_NOT_VERIFIED", message },
    },
    PATHS,
  );
  expect(result.error?.message).toBe(
    "outputs/j/.clip.mp4.reelmill-01234567.part: Invalid data (uploads/1/clip.mp4, clip.mp4 a/b)",
  );
  expect(result.notices).toEqual(["uploads/1/clip.mp4.reelmill-undo"]);
});

it("keeps an error's code, advice and details", () => {
  const thrown = new ReelmillError("INPUT_EMPTY", "/srv/data/objects/uploads/1/clip.mp4 is empty.", {
    advice: "Upload it again.",
    details: { bytes: 0 },
  });
  const { code, message, advice, details } = errorWithKeys(thrown, PATHS, adviseJob) as ReelmillError;
  expect({ code, message, advice, details }).toEqual({
    code: "INPUT_EMPTY",
    message: "uploads/1/clip.mp4 is empty. Upload it again.",
    advice: "Upload it again.",
    details: { bytes: 0 },
  });
});

it("advises what a job can do", () => {
  const thrown = new ReelmillError("REFERENCE_REQUIRED", "The index is lost.", { advice: REFERENCE_ADVICE });
  const { message } = errorWithKeys(thrown, PATHS, adviseJob) as ReelmillError;
  expect(message).toBe(
    "The index is lost. Name a healthy recording of the same device and settings among the job's references.",
  );
});
