import { formatMediaSeconds } from "../../base/units.ts";
import type { RepairReport, TrackReport } from "../../repair/report.ts";
import type { Check } from "./result.ts";

/** Recorders write ahead of one kind by at most about a second, so that a cut leaves them this far apart. */
const USUAL_DIFFERENCE_SECONDS = 1.5;
/** 48 kHz taken for 44.1 kHz is 8.8 %, 25 pictures a second taken for 24 are 4.2 %. */
const USUAL_DIFFERENCE_SHARE = 0.035;

const ONE_IS_WRONG =
  "one of them plays at a wrong pace, unless one really ended earlier; was the reference made with the same picture and sampling rate?";

/**
 * Holds the length of the pictures against that of the sound where each was reckoned by itself: a reference of another
 * picture or sampling rate makes one of them too fast. Undefined where nothing is odd.
 */
export function checkDurations({ tracks }: RepairReport): Check | undefined {
  const other = tracks.find(({ otherRate }) => otherRate !== undefined);
  if (other?.otherRate)
    return { name: "durations", status: "warning", detail: tellRates(other.otherRate, other.timing) };
  const longest = (kind: TrackReport["kind"], timing: TrackReport["timing"]): number =>
    tracks.reduce(
      (most, track) => (track.kind === kind && track.timing === timing ? Math.max(most, track.durationSeconds) : most),
      0,
    );
  const [video, audio] = [longest("video", "constant-rate"), longest("audio", "packet-durations")];
  const difference = Math.abs(video - audio);
  const isUsual =
    difference <= USUAL_DIFFERENCE_SECONDS || difference <= USUAL_DIFFERENCE_SHARE * Math.max(video, audio);
  if (video === 0 || audio === 0 || isUsual) return undefined;
  const detail = `the pictures last ${formatMediaSeconds(video)}, the sound ${formatMediaSeconds(audio)}: ${ONE_IS_WRONG}`;
  return { name: "durations", status: "warning", detail };
}

function tellRates({ told, learnt }: NonNullable<TrackReport["otherRate"]>, timing: TrackReport["timing"]): string {
  const differ = `the reference has ${round(learnt)} pictures a second, the sound between the recovered ones tells ${round(told)}`;
  return timing === "other-clock" ? `${differ}, at which they are shown` : `${differ}: ${ONE_IS_WRONG}`;
}

function round(perSecond: number): number {
  return Number(perSecond.toFixed(2));
}
