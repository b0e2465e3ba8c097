import type { Av1State } from "../../media/av1/frame-state.ts";
import { createAv1Probe } from "../../media/av1/probe.ts";
import { type Candidate, CUT, type PacketParser } from "./packet-parser.ts";
import { STATELESS } from "./probe-parser.ts";

const START_LOOK_BYTES = 1024;
/** A unit must show this much before later ones are read in the light of it. */
const TRUSTED_BITS = 12;
/** Units seen ahead of the last one taken whose states are kept. */
const MAX_AHEAD = 24;

/**
 * Finds AV1 temporal units by their OBUs. One picture is shown per unit, in decode order. Frame headers refer to frames
 * before them, so a probe looks for the state that the nearest unit before it, taken or seen ahead, leaves behind.
 * `syncSample` is the reference's first, whose sequence header is trusted above the configuration's.
 */
export function createAv1Parser(av1cPayload: Uint8Array, syncSample: Uint8Array | undefined): PacketParser {
  const probe = createAv1Probe(av1cPayload, syncSample);
  let taken: Av1State = probe.initialState;
  let ahead: { readonly endOffset: number; readonly state: Av1State }[] = [];
  const stateAt = (offset: number): Av1State => {
    let nearest: { readonly endOffset: number; readonly state: Av1State } | undefined;
    for (const seen of ahead) {
      if (seen.endOffset <= offset && seen.endOffset > (nearest?.endOffset ?? -1)) nearest = seen;
    }
    return nearest?.state ?? taken;
  };
  const remember = (endOffset: number, state: Av1State): void => {
    ahead = ahead.filter((seen) => seen.endOffset !== endOffset).slice(1 - MAX_AHEAD);
    ahead.push({ endOffset, state });
  };
  return {
    ...STATELESS,
    codec: "av1",
    dependsOnPast: true,
    probe(window, offset, limit): Candidate | typeof CUT | undefined {
      const answer = probe.probeSample(window, offset, stateAt(offset), limit);
      if (answer.kind === "no") return undefined;
      if (answer.kind === "cut") return CUT;
      const { sizeBytes, evidenceBits, isSync } = answer;
      if (evidenceBits >= TRUSTED_BITS) remember(offset + sizeBytes, answer.nextState);
      return { sizeBytes, evidenceBits, isSync, durationSamples: 0, detail: answer.nextState };
    },
    startEvidenceBits(window, offset) {
      const visible = window.load(offset, START_LOOK_BYTES);
      const start = offset - window.baseOffset;
      const answer = probe.probeStart(window.bytes, start, start + visible);
      return answer.kind === "open" || answer.kind === "packet" ? answer.evidenceBits : 0;
    },
    take(candidate) {
      taken = candidate.detail as Av1State;
    },
    reset() {
      taken = probe.initialState;
      ahead = [];
    },
  };
}
