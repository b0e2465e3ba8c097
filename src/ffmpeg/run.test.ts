import { describe, expect, it } from "vitest";
import { requireSuccess } from "./run.ts";

const CLOSED = "Error writing trailer of file:/t/a.mp4: No space left on device";

describe("an ended ffmpeg", () => {
  const end = (exitCode: number, errorTail: string) => () =>
    requireSuccess("ffmpeg", { exitCode, errorTail, output: Buffer.alloc(0) });

  it.each([
    [0, `Too many packets\n${CLOSED}\nError closing file file:/t/a.mp4: No space left on device\n`],
    [1, "av_interleaved_write_frame(): No space left on device\n[out#0] Error muxing a packet\n"],
  ])("could not write all for want of space, whatever its status: %i", (exitCode, errorTail) => {
    expect(end(exitCode, errorTail)).toThrow(expect.objectContaining({ code: "NO_SPACE", retryable: true }));
  });

  it("may complain of a file with such a name", () => {
    expect(end(0, "[mov] odd times in file:/t/x: No space left on device\n")).not.toThrow();
    expect(end(1, "file:/t/x: Invalid data\n")).toThrow(expect.objectContaining({ code: "FFMPEG_FAILED" }));
  });
});
