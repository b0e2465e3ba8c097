import { correlationScore } from "../../media/pcm/correlation-score.ts";
import type { PcmLayout } from "../../media/pcm/pcm-layout.ts";
import type { Share } from "../learn/profile.ts";
import type { Candidate, PacketParser, Run } from "./packet-parser.ts";
import { STATELESS } from "./probe-parser.ts";

const MAX_RUN_BYTES = 8 * 1024 * 1024;
const LOOK_BYTES = 16 * 1024;
/** However sound-like the bytes are, a run of them is worth no more than this against a parsed header. */
const MAX_RUN_BITS = 24;
const USUAL_RUNS = 16;

/** Finds uncompressed sound: any bytes may be it, so that its neighbours and its usual lengths bound it. */
export function createPcmParser(layout: PcmLayout, frameBytes: number, runSamples: readonly Share[]): PacketParser {
  return {
    ...STATELESS,
    codec: "pcm",
    isSelfDelimiting: false,
    maxRunBytes: MAX_RUN_BYTES,
    usualRunBytes: runSamples.slice(0, USUAL_RUNS).map((share) => share.value * frameBytes),
    probe: () => undefined,
    startEvidenceBits: () => 1,
    splitRun(window, start, end): readonly Run[] {
      const length = end - start;
      if (length <= 0 || length % frameBytes !== 0) return [];
      const visible = Math.min(window.load(start, Math.min(LOOK_BYTES, length)), length);
      const index = start - window.baseOffset;
      const likeness = correlationScore(window.bytes, index, index + visible, layout);
      const isUsual = runSamples.some((share) => share.value * frameBytes === length);
      const packet: Candidate = { sizeBytes: length, evidenceBits: 1, isSync: true, durationSamples: length / frameBytes };
      const bits = Math.max(-MAX_RUN_BITS, Math.min(MAX_RUN_BITS, likeness)) + (isUsual ? 8 : 0);
      return [{ packets: [packet], costBits: -bits }];
    },
  };
}
