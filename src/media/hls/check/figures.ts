import { formatCount } from "../../../base/units.ts";
import type { SegmentContent, TrackFacts, TrackSpan } from "./measure.ts";
import type { MeasuredPlaylist, Presentation, VariantView } from "./presentation.ts";
import type { MeasuredSegment } from "./segment-table.ts";

/** Where no picture tells, sound frames are as long as AAC's at 44.1 kHz. */
const FALLBACK_FRAME_SECONDS = 1024 / 44_100;
/** Comparing sets of segments stops after so many steps: only hostile playlists have that many short ones. */
const MAX_PEAK_STEPS = 20_000_000;

/** The pictures' facts, undefined where a playlist has none, or none that could be read. */
export function videoFacts(media: MeasuredPlaylist | undefined): Extract<TrackFacts, { kind: "video" }> | undefined {
  for (const { content } of media?.segments ?? []) {
    const facts = content?.tracks.find((track) => track.kind === "video");
    if (facts !== undefined) return facts;
  }
  return undefined;
}

/** Every kind of pictures, sound and text in a playlist, once for each codec. */
export function allFacts(media: MeasuredPlaylist): readonly TrackFacts[] {
  const found = new Map<string, TrackFacts>();
  for (const { content } of media.segments) {
    for (const facts of content?.tracks ?? []) found.set(`${facts.kind} ${facts.codec}`, facts);
  }
  return [...found.values()];
}

/** Whether nothing of the playlist's media could be looked into. */
export function isUnread(media: MeasuredPlaylist): boolean {
  return media.segments.values().every(({ content }) => content === undefined);
}

/** Whether something of the playlist's media could not be looked into, gaps apart. */
export function isPartlyUnread(media: MeasuredPlaylist): boolean {
  return media.segments.values().some(({ content, segment }) => content === undefined && !segment.isGap);
}

/** Why a playlist was not, or not wholly, looked into, for findings. */
export function unreadReason({ segments }: Pick<MeasuredPlaylist, "segments">): string {
  const counts = { missing: 0, encrypted: 0, unreadable: 0 };
  for (const { segment, sizeBytes, content } of segments) {
    if (content !== undefined || segment.isGap) continue;
    if (sizeBytes === undefined) counts.missing++;
    else if (segment.keys.length > 0) counts.encrypted++;
    else counts.unreadable++;
  }
  const told = Object.entries(counts).filter(([, count]) => count > 0);
  if (told.length === 0) return "there is nothing in it to be read";
  const [[what, count] = ["", 0]] = told;
  if (count === segments.length) return `its segments are ${what}`;
  const list = told.map(([what, count]) => `${count} ${count === 1 ? "is" : "are"} ${what}`);
  return `of its ${formatCount(segments.length, "segment")} ${list.join(", ")}`;
}

/** The span that leads a segment: its pictures, or its sound where it has none. */
export function leadSpan(content: SegmentContent | undefined): TrackSpan | undefined {
  return content?.spans.find(({ kind }) => kind === "video") ?? content?.spans[0];
}

/**
 * Frames per second of a playlist: over the whole, and the largest, which is the same where all frames last as long, else the most in any one second (RFC 8216bis
 * §4.4.6.2); undefined without pictures. A last frame that is shorter than all others, as recorders and cuts leave it, is no interval of frames and
 * counts for nothing.
 */
export function frameRateOf(
  media: MeasuredPlaylist | undefined,
): { readonly average: number; readonly isConstant: boolean; readonly largest: number } | undefined {
  let frames = 0;
  let seconds = 0;
  let min = Number.POSITIVE_INFINITY;
  let max = 0;
  let last = 0;
  let busiest = 0;
  for (const measured of media?.segments ?? []) {
    const span = leadSpan(measured.content);
    const duration = media && actualDuration(media, measured);
    if (span?.kind !== "video" || duration === undefined || duration <= 0) continue;
    frames += span.sampleCount;
    seconds += duration;
    for (const shortest of [last, span.minFrameSeconds]) if (shortest > 0) min = Math.min(min, shortest);
    max = Math.max(max, span.maxFrameSeconds);
    last = span.lastFrameSeconds;
    busiest = Math.max(busiest, span.maxFramesInSecond);
  }
  if (frames === 0 || seconds <= 0) return undefined;
  if (last > 0 && last < min && Number.isFinite(min)) {
    frames--;
    seconds -= last;
  }
  const average = frames / seconds;
  // Clocks of whole ticks make frames of 59.94 Hz differ by one.
  const isConstant = max - min <= 0.1 / average;
  return { average, isConstant, largest: isConstant ? average : Math.max(average, busiest) };
}

/**
 * How long a segment's media last: by their durations, or, where the container does not tell them, until the next segment
 * begins. Undefined where it was not read, and of a single picture or sound that nothing tells the duration of.
 */
export function actualDuration(media: MeasuredPlaylist, { content, index }: MeasuredSegment): number | undefined {
  const span = leadSpan(content);
  if (span === undefined) return undefined;
  if (span.decodeEndSeconds !== undefined && content?.container !== "mpegts") {
    return span.decodeEndSeconds - span.decodeStartSeconds;
  }
  const following = media.segments.at(index + 1);
  const next = following?.segment.isDiscontinuity === false ? leadSpan(following.content) : undefined;
  if (next?.kind === span.kind) return next.startSeconds - span.startSeconds;
  if (span.decodeEndSeconds !== undefined) return span.decodeEndSeconds - span.decodeStartSeconds;
  const frames = span.sampleCount - 1;
  if (frames === 0) return undefined;
  const frameSeconds = (span.endSeconds - span.startSeconds) / frames;
  return span.endSeconds + frameSeconds - span.startSeconds;
}

/**
 * How long one picture lasts, the longest of all variants, by FRAME-RATE where they could not be measured; that of a sound
 * frame where there are none.
 */
export function frameSecondsOf({ playlists, variants }: Presentation): number {
  const measured = playlists
    .filter(({ playlist }) => !playlist.isIFramesOnly)
    .flatMap((media) => frameRateOf(media)?.average ?? []);
  const declared = variants.flatMap(({ variant }) => variant.framesPerSecond ?? []);
  const slowest = Math.min(...(measured.length > 0 ? measured : declared));
  return slowest > 0 && Number.isFinite(slowest)
    ? Math.max(1 / slowest, FALLBACK_FRAME_SECONDS)
    : FALLBACK_FRAME_SECONDS;
}

/** Bit rates of a media playlist, or of several that play together, in bit/s. */
export interface BitRates {
  /**
   * May be below the average: what lasts for less than half a target duration, and with its neighbour for more than one and a half, counts in
   * no peak.
   */
  readonly peak: number;
  readonly average: number;
}

/**
 * The peak and average segment bit rates of a playlist as RFC 8216bis §4.1 defines them: the largest of any contiguous
 * segments that last between half and one and a half target durations together, and that of all. Undefined where a segment's
 * size is not known or nothing lasts.
 */
export function bitRatesOf({ playlist, segments }: MeasuredPlaylist): BitRates | undefined {
  const bits: number[] = [];
  const durations: number[] = [];
  for (const { sizeBytes, segment } of segments) {
    if (segment.isGap) continue;
    if (sizeBytes === undefined) return undefined;
    bits.push(8 * sizeBytes);
    durations.push(segment.durationSeconds);
  }
  const seconds = durations.reduce((sum, one) => sum + one, 0);
  if (seconds <= 0) return undefined;
  const average = bits.reduce((sum, one) => sum + one, 0) / seconds;
  const peak = peakOf(bits, durations, playlist.targetDurationSeconds);
  return peak === undefined ? undefined : { average, peak: peak > 0 ? peak : average };
}

/** What plays together needs the sum (RFC 8216bis §4.4.6.2). */
export function addRates(one: BitRates, other: BitRates): BitRates {
  return { peak: one.peak + other.peak, average: one.average + other.average };
}

/** What only one of plays at a time needs the largest, each rate by itself; 0 of nothing. */
export function largestRates(rates: readonly BitRates[]): BitRates {
  return {
    peak: Math.max(0, ...rates.map(({ peak }) => peak)),
    average: Math.max(0, ...rates.map(({ average }) => average)),
  };
}

/** 0 where no contiguous segments last as long as it takes; undefined where there are too many to compare. */
function peakOf(
  sizesInBits: readonly number[],
  durations: readonly number[],
  targetSeconds: number,
): number | undefined {
  let peak = 0;
  let steps = 0;
  for (let first = 0; first < durations.length; first++) {
    let bits = 0;
    let seconds = 0;
    for (let last = first; last < durations.length; last++) {
      if (++steps > MAX_PEAK_STEPS) return undefined;
      bits += sizesInBits[last] as number;
      seconds += durations[last] as number;
      if (seconds > 1.5 * targetSeconds) break;
      if (seconds >= 0.5 * targetSeconds) peak = Math.max(peak, bits / seconds);
    }
  }
  return peak;
}

/** The variant streams that have pictures, by their bytes or, where those were not read, by RESOLUTION. */
export function videoVariants({ variants }: Presentation): readonly VariantView[] {
  return variants.filter(({ variant, media }) => {
    if (media !== undefined && !isUnread(media)) return videoFacts(media) !== undefined;
    return variant.resolution !== undefined || variant.framesPerSecond !== undefined;
  });
}

/** How findings name a variant stream or I-frame stream. */
export function nameStream({ uri }: { readonly uri: string }): string {
  return `the stream ${uri}`;
}

/** Seconds for messages. */
export function shownSeconds(seconds: number): string {
  return `${Number(seconds.toFixed(3))} s`;
}

/** Bit rates for messages. */
export function shownRate(bitsPerSecond: number): string {
  return `${Math.round(bitsPerSecond)} bit/s`;
}
