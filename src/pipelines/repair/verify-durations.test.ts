import { describe, expect, it } from "vitest";
import type { RepairReport, TrackReport } from "../../repair/report.ts";
import { checkDurations } from "./verify-durations.ts";

const track = (kind: "video" | "audio", durationSeconds: number, timing: TrackReport["timing"]): TrackReport => ({
  ...{ trackId: 1, kind, codec: "x", packets: 1, keyframes: 1, bytes: 1 },
  ...{ durationSeconds, timing },
});

function check(videoSeconds: number, audioSeconds: number, timing: TrackReport["timing"] = "constant-rate") {
  const tracks = [track("video", videoSeconds, timing), track("audio", audioSeconds, "packet-durations")];
  return checkDurations({ tracks } as unknown as RepairReport)?.status;
}

describe("checkDurations", () => {
  it.each([
    ["44.1 kHz taken for 48 kHz", 60, 55.1, "warning"],
    ["24 pictures a second taken for 25", 60, 62.5, "warning"],
    ["a cut between a chunk of each", 20, 18.9, undefined],
    ["a long recording whose sound ends a little earlier", 3600, 3597, undefined],
    ["no sound", 60, 0, undefined],
  ])("judges %s", (_what, video, audio, status) => {
    expect(check(video, audio)).toBe(status);
  });

  it.each([
    ["other-clock", "tells 15, at which they are shown"],
    ["constant-rate", "tells 15: one of them plays at a wrong pace"],
  ] as const)("tells of a rate that the reference does not have, times from %s", (timing, text) => {
    const video = { ...track("video", 10, timing), otherRate: { told: 15, learnt: 30 } };
    const report = { tracks: [video, track("audio", 10, "packet-durations")] } as unknown as RepairReport;
    expect(checkDurations(report)).toMatchObject({ status: "warning", detail: expect.stringContaining(text) });
  });

  it("says nothing of pictures whose times follow the sound", () => {
    expect(check(60, 50, "other-clock")).toBeUndefined();
  });
});
