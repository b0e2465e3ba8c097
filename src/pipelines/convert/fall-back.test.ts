import { expect, it } from "vitest";
import { type ErrorCode, ReelmillError } from "../../base/errors.ts";
import { deviceFault } from "./fall-back.ts";
import { planEncoder } from "./plan-encoder.ts";

const WISH = { codec: "h264", speed: "standard", bitDepth: 8, hardware: "auto" } as const;
const DEVICE = planEncoder("h264_nvenc", WISH, 2, "libx264");

function failed(code: ErrorCode): ReelmillError {
  return new ReelmillError(code, "ffmpeg stopped with status 1: /tmp/work/a.mp4: the device was lost.");
}

it("takes failed and killed runs of a device for its fault, and tells it without folders", () => {
  for (const code of ["FFMPEG_FAILED", "PROGRAM_KILLED"] as const) {
    const fault = deviceFault(DEVICE, failed(code), ["/tmp/work"]);
    expect(fault).toBe("ffmpeg stopped with status 1: a.mp4: the device was lost");
  }
});

it.each(["ABORTED", "FFMPEG_TIMEOUT", "FFMPEG_MISSING", "INPUT_NOT_FOUND", "OUTPUT_NOT_VERIFIED"] as const)(
  "takes %s for none",
  (code) => {
    expect(deviceFault(DEVICE, failed(code), [])).toBeUndefined();
  },
);

it("has no fault of a device where there is no device, or nothing to take over", () => {
  const alone = planEncoder("h264_nvenc", WISH, 2, null);
  const software = planEncoder("libx264", WISH, 2, null);
  expect(deviceFault(alone, failed("FFMPEG_FAILED"), [])).toBeUndefined();
  expect(deviceFault(software, failed("FFMPEG_FAILED"), [])).toBeUndefined();
  expect(deviceFault(DEVICE, new Error("else"), [])).toBeUndefined();
});
