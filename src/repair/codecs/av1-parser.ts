import type { Av1State } from "../../media/av1/frame-state.ts";
import { createAv1Probe } from "../../media/av1/probe.ts";
import type { Av1SampleProbe } from "../../media/av1/sample.ts";
import { type Candidate, CUT, type PacketParser, type PictureOrder } from "./packet-parser.ts";
import { STATELESS } from "./probe-parser.ts";

const START_LOOK_BYTES = 1024;
/** A unit must show this much before later ones are read in the light of it. */
const TRUSTED_BITS = 12;
/** Units seen ahead of the last one taken whose states are kept. */
const MAX_AHEAD = 24;
/** Of the units before an offset, so many are tried as the one that it follows. */
const MAX_BASES = 3;
/** A unit that shows this much follows the one that it was read behind. */
const SETTLED_BITS = 40;

/** A unit seen ahead: where it ends, the state after it, and the one it was read in. */
interface Seen {
  readonly endOffset: number;
  readonly state: Av1State;
  readonly basis: Av1State;
}

/** What a candidate's unit leaves behind. */
interface Unit {
  readonly state: Av1State;
  readonly basis: Av1State;
  /** Reads the unit again in another state. */
  readonly again: (state: Av1State) => Av1SampleProbe;
}

/**
 * Finds AV1 temporal units by their OBUs. One picture is shown per unit, in decode order. Frame headers refer to frames
 * before them, so a probe reads a unit in the states that the nearest units before it, taken or seen ahead, leave
 * behind, and believes the one in which it makes most sense: bytes of other packets are taken for units now and then.
 * `syncSample` is the reference's first, whose sequence header is trusted above the configuration's.
 */
export function createAv1Parser(av1cPayload: Uint8Array, syncSample: Uint8Array | undefined): PacketParser {
  const probe = createAv1Probe(av1cPayload, syncSample);
  const order = createHintOrder();
  /** States that taken candidates left behind. */
  const passed = new WeakMap<Candidate, Av1State>();
  let taken: Av1State = probe.initialState;
  let ahead: readonly Seen[] = [];
  const basesAt = (offset: number): Av1State[] => {
    const before = ahead.filter((seen) => seen.endOffset <= offset).sort((a, b) => b.endOffset - a.endOffset);
    return [...new Set([...before.slice(0, MAX_BASES - 1).map((seen) => seen.state), taken])];
  };
  const remember = (seen: Seen): void => {
    ahead = [...ahead.filter((other) => other.endOffset !== seen.endOffset).slice(1 - MAX_AHEAD), seen];
  };
  return {
    ...STATELESS,
    dependsOnPast: true,
    probe(window, offset, limit): Candidate | typeof CUT | undefined {
      let best: (Av1SampleProbe & { readonly kind: "sample" }) | undefined;
      let basis = taken;
      let isCut = false;
      for (const state of basesAt(offset)) {
        const answer = probe.probeSample(window, offset, state, limit);
        if (answer.kind === "cut") isCut = true;
        if (answer.kind !== "sample" || answer.evidenceBits <= (best?.evidenceBits ?? -1)) continue;
        best = answer;
        basis = state;
        if (answer.evidenceBits >= SETTLED_BITS) break;
      }
      if (best === undefined) return isCut ? CUT : undefined;
      const { sizeBytes, evidenceBits, isSync, nextState: state } = best;
      if (evidenceBits >= TRUSTED_BITS) remember({ endOffset: offset + sizeBytes, state, basis });
      const again = (other: Av1State): Av1SampleProbe => probe.probeSample(window, offset, other, limit);
      const unit: Unit = { state, basis, again };
      return { sizeBytes, evidenceBits, isSync, durationSamples: 0, detail: unit };
    },
    startEvidenceBits(window, offset) {
      const visible = window.load(offset, START_LOOK_BYTES);
      const start = offset - window.baseOffset;
      const answer = probe.probeStart(window.bytes, start, start + visible);
      return answer.kind === "open" || answer.kind === "packet" ? answer.evidenceBits : 0;
    },
    take(candidate) {
      const unit = candidate.detail as Unit;
      taken = stateBehind(unit, candidate.sizeBytes, taken);
      passed.set(candidate, taken);
      // What was read behind bytes that are no unit is forgotten.
      const kin = new Set([taken]);
      ahead = ahead.filter((seen) => {
        const isKin = kin.has(seen.basis);
        if (isKin) kin.add(seen.state);
        return isKin;
      });
    },
    commit(candidate) {
      const state = passed.get(candidate);
      return state && order.next(state, candidate.isSync);
    },
    forgetPast() {
      taken = probe.initialState;
      ahead = [];
    },
    reset: () => order.reset(),
  };
}

/** The state after a unit that follows the last one taken, whatever it was first read behind. */
function stateBehind(unit: Unit, sizeBytes: number, taken: Av1State): Av1State {
  if (unit.basis === taken) return unit.state;
  const answer = unit.again(taken);
  return answer.kind === "sample" && answer.sizeBytes === sizeBytes ? answer.nextState : unit.state;
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
