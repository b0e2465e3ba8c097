import { weighAccessUnitStart } from "../nal/access-unit-walk.ts";
import { AvcAccessUnitJudge, mayStartAvcSample } from "./access-unit-judge.ts";
import type { AvcParameterSets } from "./parameter-sets.ts";

/**
 * Whether an H.264 sample can start at `bytes[startIndex]`, by what is visible before `endIndex`: 0 where it cannot,
 * else −log2 of the chance that random bytes pass the same checks (> 0). Made for trying every byte of a damaged
 * stretch: nearly all are refused by their first five bytes. The sample may reach beyond `endIndex`.
 */
export function probeAvcStart(bytes: Uint8Array, startIndex: number, endIndex: number, sets: AvcParameterSets): number {
  return mayStartAvcSample(bytes, startIndex, endIndex, sets)
    ? weighAccessUnitStart(bytes, startIndex, endIndex, new AvcAccessUnitJudge(sets))
    : 0;
}
