import { MAX_NODE_BYTES } from "../measuring/node-peak.ts";
import type { HlsResult } from "./measure.ts";

/** Processor time of encoding by that of one process for each rung, at most. */
const MAX_OF_PER_RUNG = 0.8;
/** The same by that of the best single command. */
const MAX_OF_SINGLE = 1.05;

/** Names each target that is missed, with the figure reached and the one wanted. */
export function missedTargets({ rungs, sourcePictures, perRung, single, ours }: HlsResult): string[] {
  const missed: string[] = [];
  const hold = (what: string, ratio: number, most: number): void => {
    if (!(ratio <= most)) missed.push(`${what} ${ratio.toFixed(3)} > ${most}`);
  };
  hold("encoding, cpu / one process per rung", ours.encodingCpuSeconds / perRung.cpuSeconds, MAX_OF_PER_RUNG);
  hold("encoding, cpu / single command", ours.encodingCpuSeconds / single.cpuSeconds, MAX_OF_SINGLE);
  if (ours.nodePeakBytes > MAX_NODE_BYTES) missed.push(`Node ${(ours.nodePeakBytes / 1e6).toFixed(0)} MB`);
  for (const [name, { exitCode, pictures }] of Object.entries({ "per rung": perRung, single, reelmill: ours })) {
    if (exitCode !== 0) missed.push(`${name}: exit ${exitCode}`);
    const isWhole = pictures.length === rungs.length && pictures.every((count) => count === sourcePictures);
    if (!isWhole)
      missed.push(`${name}: pictures ${pictures.join(", ") || "none"}, not ${rungs.length} × ${sourcePictures}`);
  }
  return missed;
}
