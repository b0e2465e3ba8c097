import { expect, it } from "vitest";
import { type ErrorCode, ReelmillError } from "../base/errors.ts";
import { deviceFault } from "./device-fault.ts";

const DEVICE = { fallback: {} };

function failed(code: ErrorCode): ReelmillError {
  return new ReelmillError(code, "ffmpeg stopped with status 1: /tmp/films/a.mp4: the device was lost.");
}

it("takes failed and killed runs of a device, and what is no picture, for its fault, and tells it without folders", () => {
  for (const code of ["FFMPEG_FAILED", "PROGRAM_KILLED", "MEDIA_MALFORMED", "OUTPUT_NOT_VERIFIED"] as const) {
    const fault = deviceFault(DEVICE, failed(code), ["/tmp/films"]);
    expect(fault).toBe("ffmpeg stopped with status 1: a.mp4: the device was lost");
  }
});

it.each(["ABORTED", "FFMPEG_TIMEOUT", "FFMPEG_MISSING", "INPUT_NOT_FOUND", "NO_SPACE"] as const)(
  "takes %s for none",
  (code) => {
    expect(deviceFault(DEVICE, failed(code), [])).toBeUndefined();
  },
);

it("has no fault of a device where nothing can take over, nor in what is no failed run", () => {
  expect(deviceFault({ fallback: null }, failed("FFMPEG_FAILED"), [])).toBeUndefined();
  expect(deviceFault(DEVICE, new Error("else"), [])).toBeUndefined();
});
