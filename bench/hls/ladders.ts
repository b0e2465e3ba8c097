import { planLadder, type Rung } from "../../src/pipelines/hls/ladder.ts";
import { ladderSteps } from "../../src/pipelines/hls/options.ts";

/** Ladders of five rungs by the height of the source, as `--ladder` takes them. */
export const LADDERS = {
  1080: { rungs: ladder([1080, 6000], [720, 3000], [540, 2000], [432, 1100], [234, 145]) },
  720: { rungs: ladder([720, 3000], [540, 2000], [432, 1100], [360, 365], [234, 145]) },
  360: { rungs: ladder([360, 700], [288, 450], [234, 300], [180, 200], [144, 140]) },
} as const;

/** A height of the source. */
export type Height = keyof typeof LADDERS;

function ladder(...rungs: readonly (readonly [height: number, kbps: number])[]) {
  return rungs.map(([height, kbps]) => ({ height, kbps }));
}

/** The rungs as Reelmill makes them of a source of that height, with sizes and bounds of the bit rate; by falling size. */
export function rungsOf(height: Height): readonly Rung[] {
  const source = { widthPixels: (height * 16) / 9, heightPixels: height, sampleAspect: 1 };
  return planLadder(source, "h264", ladderSteps({ ladder: LADDERS[height] }, "h264", false));
}
