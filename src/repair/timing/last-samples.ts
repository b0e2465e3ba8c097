import type { RecordingProfile, TrackProfile } from "../learn/profile.ts";
import type { PacketLog } from "../scan/packet-log.ts";
import { commonDuration, samplesOf, steadyDuration } from "./durations.ts";
import type { Timeline } from "./times.ts";
import { endOfTrack, outlasting, shiftOf } from "./track-ends.ts";

/** Ticks at which the last picture shown, or sound heard, ends. */
export function endOfPresentation({ packets, decodeTicks, presentationTicks }: Timeline): number {
  let end = decodeTicks[packets.length] as number;
  presentationTicks?.forEach((ticks, position) => {
    const durationTicks = (decodeTicks[position + 1] as number) - (decodeTicks[position] as number);
    end = Math.max(end, ticks + durationTicks);
  });
  return end;
}

/** What other tracks are held against: the pictures, or the sound where there are none. Seconds of the movie. */
interface Main {
  readonly endSeconds: number;
  /** As the reference's own tracks of that kind end. */
  readonly referenceSeconds: number;
  /** How long one of its packets lasts. */
  readonly packetSeconds: number;
}

/**
 * The timelines, in which the last sample of what is neither picture nor sound (timecode, text, metadata) ends with the
 * pictures, or with the sound where there are none: how long it lasts was the reference's, or what recorders make up. It
 * may outlast them as the reference's does, and by less than a picture. A track's only sample lasts as long as they do.
 */
export function endWithPictures(
  profile: RecordingProfile,
  log: PacketLog,
  timelines: readonly Timeline[],
): readonly Timeline[] {
  const main = findMain(profile, timelines, "video") ?? findMain(profile, timelines, "audio");
  if (main === undefined) return timelines;
  return timelines.map((timeline) => {
    const own = profile.tracks[timeline.track] as TrackProfile;
    return own.kind === "other" ? endWith(main, timeline, own, profile, log) : timeline;
  });
}

function findMain(
  profile: RecordingProfile,
  timelines: readonly Timeline[],
  kind: TrackProfile["kind"],
): Main | undefined {
  let main: Main | undefined;
  for (const timeline of timelines) {
    const own = profile.tracks[timeline.track] as TrackProfile;
    if (own.kind !== kind) continue;
    const { delaySeconds, primingTicks } = shiftOf(own.track, profile.movie);
    const endSeconds = delaySeconds + (endOfPresentation(timeline) - primingTicks) / own.track.timescale;
    main = {
      endSeconds: Math.max(endSeconds, main?.endSeconds ?? 0),
      referenceSeconds: Math.max(endOfTrack(own.track, profile.movie), main?.referenceSeconds ?? 0),
      packetSeconds: steadyDuration(own) / own.track.timescale,
    };
  }
  return main;
}

function endWith(
  main: Main,
  timeline: Timeline,
  own: TrackProfile,
  profile: RecordingProfile,
  log: PacketLog,
): Timeline {
  const { packets, decodeTicks } = timeline;
  const { timescale, samples } = own.track;
  const count = packets.length;
  const { delaySeconds, primingTicks } = shiftOf(own.track, profile.movie);
  const beyondSeconds = outlasting(own.track, profile.movie, main.referenceSeconds, main.endSeconds);
  const limit = Math.round((main.endSeconds + beyondSeconds - delaySeconds) * timescale + primingTicks);
  const pictureTicks = Math.max(1, Math.round(main.packetSeconds * timescale));
  const end = decodeTicks[count] as number;
  const isLone = samples.sampleCount === 1 && count === 1;
  if (!isLone && end <= limit + pictureTicks) return timeline;
  // One that begins where they end is shown for a moment.
  const held = samplesOf(log, own, packets[count - 1] as number) - 1;
  const lastTicks = (decodeTicks[count - 1] as number) + held * commonDuration(own);
  const ended = Math.max(limit, lastTicks + (isLone ? pictureTicks : Math.min(pictureTicks, end - lastTicks)));
  return { ...timeline, decodeTicks: decodeTicks.with(count, ended) };
}
