import type { Av1State } from "../../media/av1/frame-state.ts";
import { createAv1Probe } from "../../media/av1/probe.ts";
import { type Candidate, CUT, type PacketParser, type PictureOrder } from "./packet-parser.ts";
import { STATELESS } from "./probe-parser.ts";

const START_LOOK_BYTES = 1024;
/** A unit must show this much before later ones are read in the light of it. */
const TRUSTED_BITS = 24;
/** Units seen ahead of the last one taken whose states are kept. */
const MAX_AHEAD = 24;

/** Where a unit ends, and the state that it leaves behind. */
interface Passed {
  readonly endOffset: number;
  readonly state: Av1State;
}

/**
 * Finds AV1 temporal units by their OBUs. One picture is shown per unit, in decode order. Frame headers refer to frames
 * before them, so a probe looks for the state that the nearest unit before it, taken or seen ahead, leaves behind.
 * `syncSample` is the reference's first, whose sequence header is trusted above the configuration's.
 */
export function createAv1Parser(av1cPayload: Uint8Array, syncSample: Uint8Array | undefined): PacketParser {
  const probe = createAv1Probe(av1cPayload, syncSample);
  const order = createHintOrder();
  const forgetPast = (): void => {
    taken = start;
    ahead = [];
  };
  const start: Passed = { endOffset: -1, state: probe.initialState };
  let taken = start;
  let ahead: Passed[] = [];
  const stateAt = (offset: number): Av1State => {
    let nearest = taken;
    for (const seen of ahead) if (seen.endOffset <= offset && seen.endOffset > nearest.endOffset) nearest = seen;
    return nearest.state;
  };
  const remember = (passed: Passed): void => {
    ahead = ahead.filter((seen) => seen.endOffset !== passed.endOffset).slice(1 - MAX_AHEAD);
    ahead.push(passed);
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
      const passed: Passed = { endOffset: offset + sizeBytes, state: answer.nextState };
      if (evidenceBits >= TRUSTED_BITS) remember(passed);
      return { sizeBytes, evidenceBits, isSync, durationSamples: 0, detail: passed };
    },
    startEvidenceBits(window, offset) {
      const visible = window.load(offset, START_LOOK_BYTES);
      const start = offset - window.baseOffset;
      const answer = probe.probeStart(window.bytes, start, start + visible);
      return answer.kind === "open" || answer.kind === "packet" ? answer.evidenceBits : 0;
    },
    take(candidate) {
      taken = candidate.detail as Passed;
    },
    commit: (candidate) => order.next((candidate.detail as Passed).state, candidate.isSync),
    forgetPast,
    reset: () => order.reset(),
  };
}

/** Counts pictures by their order hints, which wrap; units are stored in order of presentation. */
interface HintOrder {
  /** Place of the picture that left `state` behind; undefined where its hint is not known. */
  next(state: Av1State, isSync: boolean): PictureOrder | undefined;
  reset(): void;
}

/** Some encoders start hints anew at key frames, others count on. */
function createHintOrder(): HintOrder {
  let [origin, last, isAbsolute] = [0, -1, true];
  return {
    next({ sequence, shownOrderHint }, isSync) {
      if (sequence === undefined || sequence.orderHintBits === 0 || shownOrderHint === undefined) return undefined;
      const modulus = 2 ** sequence.orderHintBits;
      const distance = (((shownOrderHint - origin - last) % modulus) + modulus) % modulus;
      const startsSequence = isSync && (last < 0 || distance !== 1);
      if (startsSequence) [origin, last, isAbsolute] = [shownOrderHint, 0, true];
      else last += distance;
      return { poc: last, startsSequence, pocModulus: isAbsolute ? 0 : modulus };
    },
    reset() {
      [last, isAbsolute] = [0, false];
    },
  };
}
