import type { SegmentContent } from "./measure.ts";
import type { MeasuredPlaylist } from "./presentation.ts";
import { SegmentTable } from "./segment-table.ts";

/** A playlist of segments with the durations and sizes given, of 8 bit/s per byte and second. */
export function playlistOf(
  targetDurationSeconds: number,
  segments: readonly (readonly [durationSeconds: number, sizeBytes: number | undefined, content?: SegmentContent])[],
  path = "index.m3u8",
): MeasuredPlaylist {
  const table = new SegmentTable();
  for (const [durationSeconds, sizeBytes, content] of segments) {
    table.push({ durationSeconds, isDiscontinuity: false, keys: [], isGap: false }, sizeBytes, content);
  }
  return {
    path,
    isEncrypted: false,
    playlist: {
      kind: "media",
      targetDurationSeconds,
      mediaSequence: 0,
      discontinuitySequence: 0,
      hasEndList: true,
      isIFramesOnly: false,
      hasIndependentSegments: false,
      dateRanges: [],
    },
    segments: table,
    keys: [],
    versionNeed: { version: 1, feature: "nothing" },
  };
}
