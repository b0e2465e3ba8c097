import { weighAccessUnitStart } from "../nal/access-unit-walk.ts";
import { HevcAccessUnitJudge, mayStartHevcSample } from "./access-unit-judge.ts";
import type { HevcParameterSets } from "./parameter-sets.ts";

/**
 * Whether an HEVC sample can start at `bytes[startIndex]`, by what is visible before `endIndex`: 0 where it cannot,
 * else −log2 of the chance that random bytes pass the same checks (> 0). Made for trying every byte of a damaged
 * stretch: nearly all are refused by their first six bytes. The sample may reach beyond `endIndex`.
 */
export function probeHevcStart(
  bytes: Uint8Array,
  startIndex: number,
  endIndex: number,
  sets: HevcParameterSets,
): number {
  return mayStartHevcSample(bytes, startIndex, endIndex, sets)
    ? weighAccessUnitStart(bytes, startIndex, endIndex, new HevcAccessUnitJudge(sets))
    : 0;
}
