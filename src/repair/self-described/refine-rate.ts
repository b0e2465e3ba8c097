import type { RecordingProfile } from "../learn/profile.ts";
import type { Scan } from "../scan-source.ts";
import { withPictureTicks } from "./profile.ts";

/** Usual rates as (timescale, ticks of a picture). */
const USUAL_RATES: readonly (readonly [number, number])[] = [
  [24_000, 1001],
  [24_000, 1000],
  [25_000, 1000],
  [30_000, 1001],
  [30_000, 1000],
  [48_000, 1000],
  [50_000, 1000],
  [60_000, 1001],
  [60_000, 1000],
  [100_000, 1000],
  [120_000, 1001],
  [120_000, 1000],
  [240_000, 1000],
];
/** Too few pictures say nothing about their rate. */
const MIN_PICTURES = 50;
/** The sound may end this much before or after the pictures. */
const MAX_DEVIATION = 0.02;

/**
 * The profile with the usual picture rate that makes video last as long as the sound beside it; undefined where none
 * does. Only for recordings whose rate nobody states.
 */
export function refineRate({ log, model, profile }: Scan): RecordingProfile | undefined {
  let pictures = 0;
  let soundSeconds = 0;
  for (let index = 0; index < log.count; index++) {
    const own = profile.tracks[model.families[log.family(index)]?.tracks[0] ?? -1];
    if (own?.kind === "video") pictures++;
    if (own?.kind !== "audio") continue;
    const frameBytes = own.track.samples.constantSizeBytes;
    const samples = frameBytes > 0 ? log.size(index) / frameBytes : 1;
    soundSeconds += (samples * (own.durations[0]?.value ?? 0)) / own.track.timescale;
  }
  if (pictures < MIN_PICTURES || soundSeconds === 0) return undefined;
  const perSecond = pictures / soundSeconds;
  const deviation = ([timescale, ticks]: readonly [number, number]): number =>
    Math.abs(timescale / ticks / perSecond - 1);
  const best = USUAL_RATES.reduce((a, b) => (deviation(b) < deviation(a) ? b : a));
  return deviation(best) <= MAX_DEVIATION ? withPictureTicks(profile, ...best) : undefined;
}
