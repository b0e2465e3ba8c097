import {
  actualDuration,
  frameRateOf,
  frameSecondsOf,
  isPartlyUnread,
  leadSpan,
  nameStream,
  shownSeconds,
  unreadReason,
  videoFacts,
  videoVariants,
} from "../figures.ts";
import type { MeasuredPlaylist, Presentation } from "../presentation.ts";
import type { Rule, Verdict } from "../rule.ts";

/** Times of clocks with different ticks are as equal as this. */
const CLOCK_SECONDS = 0.001;
/** AAC at 44.1 kHz; encoders begin so much early. */
const SOUND_FRAME_SECONDS = 1024 / 44_100;
const KEY_FRAME_SECONDS = 2;
const SEGMENT_SECONDS = 6;

/** Playlists that are played from segment to segment: not those of I-frames, whose segments are single pictures. */
function played({ playlists }: Presentation): readonly MeasuredPlaylist[] {
  return playlists.filter(({ playlist }) => !playlist.isIFramesOnly);
}

/** Whether a playlist's segments were all read; says that they were not where they are not. */
function isRead(media: MeasuredPlaylist, verdict: Verdict): boolean {
  if (!isPartlyUnread(media)) return true;
  verdict.unchecked(media.path, `It could not be measured: ${unreadReason(media)}.`);
  return false;
}

function checkAlignment(first: MeasuredPlaylist, other: MeasuredPlaylist, verdict: Verdict): void {
  verdict.looked();
  const tolerance = Math.max(CLOCK_SECONDS, 0.5 / (frameRateOf(first)?.average ?? 1 / CLOCK_SECONDS));
  if (first.segments.length !== other.segments.length) {
    const counts = `It has ${other.segments.length} segments, ${first.path} has ${first.segments.length}`;
    verdict.fail(other.path, `${counts}; they must begin at the same times.`);
    return;
  }
  for (const { content, index } of other.segments) {
    const start = leadSpan(content)?.startSeconds;
    const expected = leadSpan(first.segments.at(index)?.content)?.startSeconds;
    if (start === undefined || expected === undefined || Math.abs(start - expected) <= tolerance) continue;
    const found = `It begins at ${shownSeconds(start)}, that of ${first.path} at ${shownSeconds(expected)}`;
    verdict.fail(`${other.path}, segment ${index}`, `${found}.`);
  }
}

/** The largest distance of any contiguous segments' EXTINF from their media, in seconds (Apple 8.1). */
function checkDurations(media: MeasuredPlaylist, frameSeconds: number, verdict: Verdict): void {
  let drift = 0;
  let least = 0;
  let most = 0;
  for (const measured of media.segments) {
    const actual = actualDuration(media, measured);
    if (actual === undefined) continue;
    verdict.looked();
    drift += measured.segment.durationSeconds - actual;
    least = Math.min(least, drift);
    most = Math.max(most, drift);
    if (most - least <= frameSeconds + CLOCK_SECONDS) continue;
    const where = `${media.path}, segment ${measured.index}`;
    const sum = `EXTINF up to here and the media differ by ${shownSeconds(most - least)}`;
    verdict.fail(where, `${sum}; one frame, ${shownSeconds(frameSeconds)}, is allowed.`);
    return;
  }
}

/** Decode times go on from segment to segment (Apple 7.3), and so do counters, which is found while reading (7.2). */
function checkContinuity(media: MeasuredPlaylist, verdict: Verdict): void {
  for (const { content, index, segment } of media.segments) {
    if (content === undefined || content.container === "webvtt") continue;
    verdict.looked();
    const where = `${media.path}, segment ${index}`;
    for (const fault of content.continuityFaults) verdict.fail(where, `${fault}.`);
    const before = media.segments.at(index - 1)?.content;
    if (segment.isDiscontinuity || before === undefined || content.container !== "fmp4") continue;
    for (const span of content.spans) {
      const end = before.spans.find(({ kind }) => kind === span.kind)?.decodeEndSeconds;
      if (end === undefined || Math.abs(end - span.decodeStartSeconds) <= CLOCK_SECONDS) continue;
      const message = `The decode time of its ${span.kind} is ${shownSeconds(span.decodeStartSeconds)}; ${shownSeconds(end)} is due.`;
      verdict.fail(where, message);
    }
  }
}

function checkKeyFrames(media: MeasuredPlaylist, verdict: Verdict): void {
  let last: number | undefined;
  for (const { content, index } of media.segments) {
    const span = content?.spans.find(({ kind }) => kind === "video");
    if (span === undefined) continue;
    for (const seconds of [...span.keyFrameSeconds, span.endSeconds]) {
      const gap = last === undefined ? 0 : seconds - last;
      verdict.looked();
      if (gap > KEY_FRAME_SECONDS + span.maxFrameSeconds + CLOCK_SECONDS) {
        verdict.fail(`${media.path}, segment ${index}`, `A key frame is followed by none for ${shownSeconds(gap)}.`);
        return;
      }
      if (seconds !== span.endSeconds) last = seconds;
    }
  }
}

/** Rules of times, durations and key frames. */
export const TIMING_RULES: readonly Rule[] = [
  {
    id: "segments-start-with-idr",
    level: "must",
    clause: "Apple 7.4",
    title: "Every segment with pictures begins with an IDR, by its NAL units.",
    check: (presentation, verdict) => {
      for (const media of played(presentation)) {
        if (videoFacts(media) === undefined && !media.isEncrypted) continue;
        if (!isRead(media, verdict)) continue;
        for (const { content, index } of media.segments) {
          const video = content?.spans.find(({ kind }) => kind === "video");
          if (video === undefined) continue;
          verdict.looked();
          if (video.startFault !== undefined) verdict.fail(`${media.path}, segment ${index}`, `${video.startFault}.`);
        }
      }
    },
  },
  {
    id: "segments-aligned",
    level: "must",
    clause: "RFC 8216bis §6.2.4; Apple 8.22 (a must for AirPlay 2 TVs)",
    title: "The segments of all variants with pictures begin at the same times.",
    check: (presentation, verdict) => {
      const videos = videoVariants(presentation).flatMap(({ media }) => media ?? []);
      const [first, ...others] = videos.filter((media) => isRead(media, verdict));
      if (first !== undefined) for (const other of others) checkAlignment(first, other, verdict);
    },
  },
  {
    id: "renditions-start-together",
    level: "must",
    clause: "RFC 8216bis §6.2.4; Apple 8.7",
    title: "All variants and renditions begin at the same time, within a picture and a frame of sound.",
    check: (presentation, verdict) => {
      const tolerance = frameSecondsOf(presentation) + SOUND_FRAME_SECONDS;
      const starts = played(presentation).flatMap((media) => {
        const seconds = leadSpan(media.segments.at(0)?.content)?.startSeconds;
        return seconds === undefined ? [] : [{ path: media.path, seconds }];
      });
      const [first, ...others] = starts;
      for (const { path, seconds } of others) {
        verdict.looked();
        if (first === undefined || Math.abs(seconds - first.seconds) <= tolerance) continue;
        const found = `Its media begin at ${shownSeconds(seconds)}, those of ${first.path} at ${shownSeconds(first.seconds)}`;
        verdict.fail(path, `${found}; ${shownSeconds(tolerance)} of difference are allowed.`);
      }
    },
  },
  {
    id: "segment-durations",
    level: "must",
    clause: "Apple 8.1; RFC 8216bis §4.4.4.1",
    title: "The EXTINF of any contiguous segments add up to what their media last, within one frame.",
    check: (presentation, verdict) => {
      const frameSeconds = frameSecondsOf(presentation);
      for (const media of played(presentation))
        if (isRead(media, verdict)) checkDurations(media, frameSeconds, verdict);
    },
  },
  {
    id: "segment-media-within-target",
    level: "must",
    clause: "Apple 7.7",
    title: "No segment's media last more than 0.5 s longer than the target duration.",
    check: (presentation, verdict) => {
      for (const media of played(presentation)) {
        if (!isRead(media, verdict)) continue;
        const limit = media.playlist.targetDurationSeconds + 0.5;
        for (const measured of media.segments) {
          const actual = actualDuration(media, measured);
          if (actual === undefined) continue;
          verdict.looked();
          if (actual <= limit + CLOCK_SECONDS) continue;
          const where = `${media.path}, segment ${measured.index}`;
          verdict.fail(where, `Its media last ${shownSeconds(actual)}; ${shownSeconds(limit)} is allowed.`);
        }
      }
    },
  },
  {
    id: "equal-durations",
    level: "must",
    clause: "Apple 8.3, 8.7",
    title: "All variants and renditions last as long, within one frame.",
    check: (presentation, verdict) => {
      const tolerance = frameSecondsOf(presentation) + CLOCK_SECONDS;
      const total = ({ segments }: MeasuredPlaylist): number =>
        segments.values().reduce((sum, { segment }) => sum + segment.durationSeconds, 0);
      const [first, ...others] = presentation.playlists;
      for (const other of others) {
        verdict.looked();
        const difference = Math.abs(total(other) - total(first as MeasuredPlaylist));
        if (difference <= tolerance) continue;
        const found = `It lasts ${shownSeconds(total(other))}, ${first?.path} ${shownSeconds(total(first as MeasuredPlaylist))}`;
        verdict.fail(other.path, `${found}; ${shownSeconds(tolerance)} of difference are allowed.`);
      }
    },
  },
  {
    id: "continuity",
    level: "must",
    clause: "Apple 7.1, 7.2, 7.3",
    title: "Decode times and continuity counters go on from segment to segment.",
    check: (presentation, verdict) => {
      for (const media of played(presentation)) if (isRead(media, verdict)) checkContinuity(media, verdict);
    },
  },
  {
    id: "key-frame-interval",
    level: "should",
    clause: "Apple 1.13",
    title: "A key frame stands every two seconds.",
    check: (presentation, verdict) => {
      for (const { media } of videoVariants(presentation)) {
        if (media !== undefined && isRead(media, verdict)) checkKeyFrames(media, verdict);
      }
    },
  },
  {
    id: "segment-length",
    level: "should",
    clause: "Apple 7.5, 7.6",
    title: "Target durations are 6 s, and segments nominally so.",
    check: (presentation, verdict) => {
      const subtitles = new Set(
        presentation.renditions.flatMap(({ rendition, media }) =>
          rendition.type === "SUBTITLES" && media ? [media] : [],
        ),
      );
      for (const media of played(presentation)) {
        if (subtitles.has(media)) continue;
        verdict.looked();
        const { targetDurationSeconds: target } = media.playlist;
        if (target !== SEGMENT_SECONDS) verdict.fail(media.path, `EXT-X-TARGETDURATION is ${target}; 6 is usual.`);
      }
    },
  },
  {
    id: "independent-segments",
    level: "should",
    clause: "Apple 9.11; RFC 8216bis §4.4.2.1",
    title: "EXT-X-INDEPENDENT-SEGMENTS is in the multivariant playlist where every segment begins with an IDR.",
    check: (presentation, verdict) => {
      const { multivariant, rootPath } = presentation;
      const videos = videoVariants(presentation);
      if (multivariant === undefined || videos.length === 0) return;
      const unread = videos.find(({ media }) => media === undefined);
      if (unread !== undefined) {
        verdict.unchecked(nameStream(unread.variant), "Its playlist could not be read.");
        return;
      }
      const isIndependent = videos.every(({ media }) =>
        media?.segments.values().every(({ content }) => leadSpan(content)?.startFault === undefined),
      );
      verdict.looked();
      if (isIndependent && !multivariant.hasIndependentSegments) {
        verdict.fail(rootPath, "EXT-X-INDEPENDENT-SEGMENTS is missing.");
      }
      if (!isIndependent && multivariant.hasIndependentSegments) {
        const [one] = videos.filter(({ media }) =>
          media?.segments.values().some(({ content }) => leadSpan(content)?.startFault !== undefined),
        );
        verdict.fail(
          rootPath,
          `EXT-X-INDEPENDENT-SEGMENTS is there, but ${one ? nameStream(one.variant) : "a stream"} is not so.`,
        );
      }
    },
  },
];
