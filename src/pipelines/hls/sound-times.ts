import type { PackagePlan } from "./packaging.ts";

/** Containers round times, and some tell single frames a wrong one; no frame of the usual codecs is shorter. */
const JITTER_SECONDS = 0.01;
/** A jump of so much counts as soon as one frame tells it. */
const CERTAIN_SECONDS = 0.1;
/** What a frame's time is off by is made good to so large a part with each: of jitter next to nothing is left, a clock that runs wrong is followed. */
const FOLLOWED_SHARE = 0.1;
/** Sound is stretched by less than anybody hears, as soon as it is off by so much. */
const STRETCH = { samplesPerSecond: 1000, fromSeconds: 0.0002, withinSeconds: 0.5 } as const;

/**
 * Filters that place sound by the times of its frames, counted from the first picture, with silence where frames are missing. Frames follow each
 * other without a gap but where two in a row tell that more than 10 ms lie between, in the same direction, or one more than 0.1 s: what jitters is
 * not cut to pieces, what was lost shifts nothing behind it. Sound of a clock that runs faster or slower than the pictures' is stretched. What begins at `endSeconds` or later is left out. Stands first, where ticks are samples.
 */
export function soundTimes(
  { originTicks, timeBase }: Pick<PackagePlan["video"], "originTicks" | "timeBase">,
  sampleRateHz: number,
  endSeconds: number,
): readonly string[] {
  // 0: the frame's own time; 1: by how much it is later than the end of the one before, in seconds; 2: the same of the one before; 3: that end.
  const told = `st(0,PTS-round(${originTicks}*${timeBase.numerator}/${timeBase.denominator}/TB))`;
  const jump = "st(1,(ld(0)-ld(3))/SR)";
  const isJump = [
    ...["isnan(PREV_INPTS)", `gt(abs(ld(1)),${CERTAIN_SECONDS})`],
    ...[`gt(min(ld(1),ld(2)),${JITTER_SECONDS})`, `lt(max(ld(1),ld(2)),-${JITTER_SECONDS})`],
  ].join("+");
  const steps = [
    told,
    jump,
    `st(4,ld(3)+(ld(0)-ld(3))*if(${isJump},1,${FOLLOWED_SHARE}))`,
    "st(2,ld(1))",
    "st(3,ld(4)+NB_SAMPLES)",
    "ld(4)",
  ];
  const { samplesPerSecond, fromSeconds, withinSeconds } = STRETCH;
  const stretch = `async=${samplesPerSecond}:min_comp=${fromSeconds}:comp_duration=${withinSeconds}`;
  return [
    `asetpts='${steps.join(";")}'`,
    // Silence up to a frame of a wrong time, years later, would never end.
    `aselect='lt(t,${endSeconds})'`,
    // Where the rate stays, ffmpeg 5.1 would begin to resample in the middle, and lose its place.
    `aresample=${sampleRateHz}:${stretch}:min_hard_comp=${JITTER_SECONDS / 2}:first_pts=0:flags=+res`,
  ];
}
