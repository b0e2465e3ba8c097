import type { TrackProfile } from "../learn/profile.ts";
import { meanOf } from "../learn/shares.ts";
import type { PacketLog } from "../scan/packet-log.ts";

/** Nearly all samples have one duration: the others are slips. */
const CONSTANT_SHARE = 0.995;

/** Codecs' packets hold 960, 1024, 1152, 1536, 2048, 4096 or 4608 samples: multiples of this. */
const PACKET_STEP_SAMPLES = 32;

/** Times rounded to another clock move the mean of a few seconds by no more than this share. */
const ROUNDING = 0.001;

/** Durations of a steady track may waver by this share of their mean, but for one in fifty. */
const JITTER = 0.12;

const JITTER_SHARE = 0.98;

/** Whether samples last one time each, give or take: audio by its nature, others by what the reference shows. */
export function isSteady(track: TrackProfile): boolean {
  if (track.isPaceUnknown) return false;
  if (track.kind === "audio" || track.durations.length <= 1) return true;
  const mean = meanDuration(track);
  let [near, total] = [0, 0];
  for (const share of track.durations) {
    total += share.count;
    if (Math.abs(share.value - mean) <= mean * JITTER) near += share.count;
  }
  return near >= total * JITTER_SHARE && !wanders(track.decodeTicks, mean);
}

/** Jitter leaves pictures where a steady pace has them; a pace that changes takes them further off than so many pictures. */
const MAX_WANDER_PICTURES = 1.5;

function wanders(decodeTicks: Float64Array, meanTicks: number): boolean {
  return decodeTicks.some((ticks, index) => Math.abs(ticks - index * meanTicks) > MAX_WANDER_PICTURES * meanTicks);
}

/**
 * Ticks of one sample, a fraction where the reference's durations waver around a mean (times taken from a clock of
 * another rate): the commonest duration where it stands for nearly all. Sound in ticks of its sample rate, whose packets
 * are whole samples long, has the length that codecs use, or the commonest, where the mean comes as near to it as a short
 * reference tells.
 */
export function steadyDuration(profile: TrackProfile): number {
  const common = commonDuration(profile);
  const mean = meanDuration(profile);
  const rate = profile.track.sampleEntries[0]?.audio?.sampleRateHz;
  const isInSamples = profile.kind === "audio" && rate === profile.track.timescale;
  const nominal = Math.round(mean / PACKET_STEP_SAMPLES) * PACKET_STEP_SAMPLES;
  for (const whole of [nominal, common]) {
    if (isInSamples && whole > 0 && Math.abs(mean - whole) <= whole * ROUNDING) return whole;
  }
  const total = profile.durations.reduce((sum, share) => sum + share.count, 0);
  return (profile.durations[0]?.count ?? 0) >= total * CONSTANT_SHARE ? common : mean;
}

/** Ticks of one sample, ≥ 1, as most samples of the reference last. */
export function commonDuration(profile: TrackProfile): number {
  return Math.max(1, profile.durations[0]?.value ?? 1);
}

/** Ticks of one sample on average, a fraction; 1 where nothing is known. */
export function meanDuration(profile: TrackProfile): number {
  return meanOf(profile.durations, 1);
}

/** Samples a log entry stands for: PCM runs hold many. */
export function samplesOf(log: PacketLog, profile: TrackProfile, packet: number): number {
  const frameBytes = profile.track.samples.constantSizeBytes;
  return frameBytes > 0 ? log.size(packet) / frameBytes : 1;
}
