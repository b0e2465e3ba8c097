import { openBoxes } from "./box-reader.ts";
import { concatBytes } from "./box-writer.ts";
import { sumOfCounts } from "./runs.ts";
import { parseSbgp, type SampleGrouping, serializeSbgp } from "./sbgp.ts";

const TABLES = "mdia/minf/stbl/";
const GROUPS = `${TABLES}sbgp`;
const DESCRIPTIONS = `${TABLES}sgpd`;
/** Version and flags stand before it. */
const GROUPING_TYPE_OFFSET = 4;

/**
 * Of the boxes that a track hands on, those that also hold for other samples of the same kind, `sampleCount` of them: of the sample tables only
 * groups that all `ownCount` samples of the track are in, such as the pre-roll of sound, stretched over the others. Which pictures are
 * references, key pictures or layers is another matter in every recording.
 */
export function boxesOfOtherSamples(
  boxes: ReadonlyMap<string, Uint8Array>,
  ownCount: number,
  sampleCount: number,
): ReadonlyMap<string, Uint8Array> {
  const groupings = openBoxes(boxes.get(GROUPS) ?? new Uint8Array(0), GROUPS).map(parseSbgp);
  const kept = groupings.filter(({ runs }) => isUniform(runs, ownCount));
  const lost = new Set(
    groupings.filter((grouping) => !kept.includes(grouping)).map(({ groupingType }) => groupingType),
  );
  const descriptions = openBoxes(boxes.get(DESCRIPTIONS) ?? new Uint8Array(0), DESCRIPTIONS).filter((box) => {
    if (box.bytesLeft < GROUPING_TYPE_OFFSET + 4) return false;
    box.skip(GROUPING_TYPE_OFFSET);
    return !lost.has(box.fourcc());
  });
  const others = new Map([...boxes].filter(([path]) => !path.startsWith(TABLES)));
  if (descriptions.length > 0) others.set(DESCRIPTIONS, concatBytes(descriptions.map((box) => box.copy())));
  const stretched = kept.map((grouping) => serializeSbgp(stretch(grouping, sampleCount)));
  if (stretched.length > 0) others.set(GROUPS, concatBytes(stretched));
  return others;
}

/** Whether all samples are in the same group. */
function isUniform(runs: Uint32Array, sampleCount: number): boolean {
  const [, description] = runs;
  return sumOfCounts(runs) === sampleCount && runs.every((value, at) => at % 2 === 0 || value === description);
}

function stretch(grouping: SampleGrouping, sampleCount: number): SampleGrouping {
  return { ...grouping, runs: Uint32Array.of(sampleCount, grouping.runs[1] ?? 0) };
}
