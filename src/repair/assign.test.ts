import { describe, expect, it } from "vitest";
import type { Movie } from "../media/isobmff/movie.ts";
import { assignTracks } from "./assign.ts";
import { NO_PADDING } from "./learn/padding.ts";
import type { Range, RecordingProfile, Share, TrackProfile } from "./learn/profile.ts";
import { PacketLog } from "./scan/packet-log.ts";

const FRAME_SECONDS = 1024 / 48_000;
const VIDEO_SECONDS = 1 / 30;
const FAMILIES = [{ tracks: [0] }, { tracks: [1, 2, 3] }];

/** Sizes of the tracks' packets in bytes; those of the last track differ. */
const SIZES = [5000, 400, 400, 260] as const;

function trackProfile(index: number, runSamples: Share[]): TrackProfile {
  const meanSizeBytes = SIZES[index] ?? 0;
  const sizes = Uint32Array.of(meanSizeBytes - 40, meanSizeBytes + 40);
  return {
    kind: index === 0 ? "video" : "audio",
    track: { timescale: index === 0 ? 30 : 48_000, samples: { constantSizeBytes: 0, sizes } },
    durations: [{ value: index === 0 ? 1 : 1024, count: 100 }],
    meanSizeBytes,
    runSamples,
  } as unknown as TrackProfile;
}

/** A recording of one video and three equal audio tracks that take turns. */
function profileOf(leads: readonly Range[]): RecordingProfile {
  const turns = [{ value: 1, count: 100 }];
  const tracks = SIZES.map((_, index) => trackProfile(index, turns));
  const transitions = [
    [1, 0, 0, 0],
    [0, 100, 0, 0],
    [0, 0, 100, 0],
    [0, 0, 0, 100],
    [70, 30, 0, 0],
  ];
  const interleave = { transitions, padding: NO_PADDING, leads, lastLeads: leads, lags: leads };
  return { movie: {} as Movie, tracks, interleave };
}

/** Entries in file order: 0 is video, 1 to 3 the audio tracks; "|" a gap. */
function logOf(order: string): PacketLog {
  const log = new PacketLog();
  let afterGap = false;
  for (const entry of order) {
    if (entry === "|") {
      afterGap = true;
      continue;
    }
    const family = entry === "0" ? 0 : 1;
    log.push({
      family,
      offset: log.count * 5000,
      sizeBytes: SIZES[Number(entry)] ?? 0,
      isSync: true,

      afterGap,
    });
    afterGap = false;
  }
  return log;
}

/** What a muxer writes: packets by their times. The last track's are held back until `heldSeconds`. */
function interleaved(seconds: number, heldSeconds = 0): string {
  const events: { readonly at: number; readonly track: number }[] = [];
  for (let at = 0; at < seconds; at += VIDEO_SECONDS) events.push({ at, track: 0 });
  for (let at = 0; at < seconds; at += FRAME_SECONDS) {
    for (const track of [1, 2, 3]) events.push({ at: track === 3 ? Math.max(at, heldSeconds) : at, track });
  }
  return events
    .sort((a, b) => a.at - b.at)
    .map(({ track }) => track)
    .join("");
}

const LEAD: Range = { min: -0.03, max: 0.03, low: -0.03, high: 0.03, median: 0 };
const PROFILE = profileOf([{ min: 0, max: 0, low: 0, high: 0, median: 0 }, LEAD, LEAD, LEAD]);

function assignedTo(order: string): string {
  return assignTracks(logOf(order), FAMILIES, PROFILE).join("");
}

describe("assignTracks", () => {
  it("gives equal tracks their packets by turns", () => {
    const order = interleaved(5);
    expect(assignedTo(order)).toBe(order);
  });

  it("finds the turns again after a gap", () => {
    const order = interleaved(5);
    const damaged = `${order.slice(0, 200)}|${order.slice(245)}`;
    expect(assignedTo(damaged)).toBe(damaged.replace("|", ""));
  });

  it("follows a track that was written seconds late", () => {
    const order = interleaved(8, 4);
    const assigned = assignedTo(order);
    const wrong = [...order].filter((track, index) => assigned[index] !== track).length;
    expect(order).toContain("3".repeat(50));
    expect(wrong).toBeLessThanOrEqual(order.length * 0.01);
  });
});
