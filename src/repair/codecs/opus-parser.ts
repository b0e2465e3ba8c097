import type { OpusStreamState } from "../../media/opus/evaluate.ts";
import { learnOpusModel } from "../../media/opus/model.ts";
import { splitOpusRun } from "../../media/opus/split-run.ts";
import type { Candidate, PacketParser, Run } from "./packet-parser.ts";
import { STATELESS } from "./probe-parser.ts";

const MAX_RESULTS = 2;
/** Runs a little longer than the reference's are looked at. */
const RUN_SLACK = 1.25;

/** Finds Opus packets, which do not tell their end: by reading each candidate's whole syntax against a learnt model. */
export function createOpusParser(samples: Iterable<Uint8Array>, largestRunBytes: number): PacketParser {
  const model = learnOpusModel(samples);
  const maxRunBytes = Math.ceil(largestRunBytes * RUN_SLACK);
  let startBytes = 0;
  for (let byte = 0; byte < 256; byte++) if (model.isStart(byte)) startBytes++;
  // A start byte alone; the rest of the evidence comes with the end.
  const startBits = Math.max(1, 8 - Math.log2(Math.max(1, startBytes)));
  let states: readonly OpusStreamState[] | undefined;
  return {
    ...STATELESS,
    codec: "opus",
    isSelfDelimiting: false,
    maxRunBytes,
    probe: () => undefined,
    startEvidenceBits(window, offset) {
      if (window.load(offset, 1) < 1) return 0;
      return model.isStart(window.bytes[offset - window.baseOffset] as number) ? startBits : 0;
    },
    splitRun(window, start, end): readonly Run[] {
      const length = end - start;
      if (length < model.sizeBounds.minBytes || length > maxRunBytes || window.load(start, length) < length) return [];
      const index = start - window.baseOffset;
      const options = { maxResults: MAX_RESULTS, ...(states ? { states } : {}) };
      return splitOpusRun(window.bytes, index, index + length, model, options).map((split) => ({
        packets: toPackets(window.bytes, split.boundaries, split.durationSamples),
        costBits: split.costBits,
      }));
    },
    take(candidate) {
      states = model.observe(candidate.detail as Uint8Array, states ?? model.createStates());
    },
    reset() {
      states = undefined;
    },
  };
}

/** Packets carry their bytes: the model learns from each one taken. */
function toPackets(bytes: Uint8Array, boundaries: readonly number[], durationSamples: number): Candidate[] {
  const count = boundaries.length - 1;
  return Array.from({ length: count }, (_, index) => {
    const [start, end] = [boundaries[index] as number, boundaries[index + 1] as number];
    const detail = bytes.slice(start, end);
    return { sizeBytes: end - start, evidenceBits: 0, isSync: true, durationSamples: durationSamples / count, detail };
  });
}
