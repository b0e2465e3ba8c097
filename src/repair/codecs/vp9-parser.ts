import { BitReader } from "../../media/bytes/bit-reader.ts";
import type { ByteWindow } from "../../media/bytes/byte-window.ts";
import { vp9EndEvidenceBits } from "../../media/vp9/end-evidence.ts";
import { Vp9Model } from "../../media/vp9/model.ts";
import { createVp9Probe, type Vp9Probe, type Vp9StartProbe } from "../../media/vp9/probe.ts";
import { parseSuperframeIndex } from "../../media/vp9/superframe.ts";
import { parseVp9FrameHeader, type Vp9State } from "../../media/vp9/uncompressed-header.ts";
import type { Candidate, PacketParser, Run } from "./packet-parser.ts";
import { STATELESS } from "./probe-parser.ts";

const LOOK_BYTES = 4096;
const REMEMBERED_STARTS = 256;
const MAX_PACKET_BYTES = 8 * 1024 * 1024;
/** A superframe's index is at most this long (VP9 Annex B). */
const MAX_TAIL_BYTES = 64;
/** An end less likely than this is none. */
const MIN_END_BITS = -8;
/** Against a hidden frame in a packet of its own: muxers join it with the shown one after it. */
const HIDDEN_ALONE_BITS = -48;
/** Against a packet that shows a frame again and yet has more bytes. */
const IMPOSSIBLE_BITS = -64;
/** Evidence that one of the frames in a superframe adds at most. */
const MAX_INNER_BITS = 96;

type Start = Vp9StartProbe & { readonly kind: "start" };

/**
 * Finds VP9 packets: their starts by both frame headers, their ends, which they do not tell, by the coder's flush and by
 * what follows. The model is learnt from the reference and from every packet taken.
 */
export function createVp9Parser(
  vpccPayload: Uint8Array,
  samples: Iterable<Uint8Array>,
  largestBytes: number,
): PacketParser {
  const track = new Vp9Track(createVp9Probe(vpccPayload));
  for (const sample of samples) track.observe(sample);
  const endBits = (window: ByteWindow, start: number): ((end: number) => number) | undefined => {
    const answer = track.startAt(window, start);
    return answer && ((end) => track.endBits(window, start, end, answer));
  };
  return {
    ...STATELESS,
    isSelfDelimiting: false,
    dependsOnPast: true,
    maxRunBytes: Math.min(MAX_PACKET_BYTES, largestBytes * 4),
    probe: () => undefined,
    startEvidenceBits: (window, offset) => Math.max(0, track.startBits(window, offset)),
    isStartByte: (byte) => track.isStartByte(byte),
    endBits,
    splitRun(window, start, end): readonly Run[] {
      const answer = track.startAt(window, start);
      if (answer === undefined || end - start > MAX_PACKET_BYTES) return [];
      const tailBits = track.endBits(window, start, end, answer);
      if (tailBits < MIN_END_BITS || window.load(start, end - start) < end - start) return [];
      const index = start - window.baseOffset;
      const bits = track.headBits(window, start, answer) + tailBits;
      const packet: Candidate = {
        sizeBytes: end - start,
        evidenceBits: answer.evidenceBits,
        isSync: answer.isSync,
        durationSamples: 0,
        detail: window.bytes.slice(index, index + end - start),
      };
      return [{ packets: [packet], costBits: -bits }];
    },
    take: (candidate) => track.observe(candidate.detail as Uint8Array),
  };
}

/** What is known of one VP9 track so far. */
class Vp9Track {
  readonly #probe: Vp9Probe;
  readonly #model = new Vp9Model();
  /** Starts looked at lately: a search asks about the same place from many sides. */
  readonly #starts = new Map<number, Start | undefined>();
  #state: Vp9State;

  constructor(probe: Vp9Probe) {
    this.#probe = probe;
    this.#state = probe.initialState;
  }

  /** Learns from a packet that is certain. */
  observe(packet: Uint8Array): void {
    this.#starts.clear();
    let start = 0;
    for (const sizeBytes of parseSuperframeIndex(packet, 0, packet.length)?.frameBytes ?? [packet.length]) {
      const end = Math.min(packet.length, start + sizeBytes);
      const answer = this.#probe.probeStart(packet, start, end, this.#state, true);
      if (answer.kind !== "start") return;
      this.#model.observe(answer.header, packet, start, end);
      this.#state = answer.nextState;
      start = end;
    }
  }

  isStartByte(byte: number): boolean {
    return this.#model.isFamiliarStart(byte);
  }

  /** What starts at an offset behind the packets observed. */
  startAt(window: ByteWindow, offset: number): Start | undefined {
    if (this.#starts.has(offset)) return this.#starts.get(offset);
    if (this.#starts.size >= REMEMBERED_STARTS) this.#starts.clear();
    const answer = this.#probeAt(window, offset, this.#state);
    this.#starts.set(offset, answer);
    return answer;
  }

  #probeAt(window: ByteWindow, offset: number, state: Vp9State): Start | undefined {
    const first = window.bytes[offset - window.baseOffset];
    const isVisible = offset >= window.baseOffset && offset < window.endOffset;
    if (isVisible && first !== undefined && !this.#model.isFamiliarStart(first)) return undefined;
    const visible = window.load(offset, LOOK_BYTES);
    const index = offset - window.baseOffset;
    if (visible < 1 || !this.#model.isFamiliarStart(window.bytes[index] as number)) return undefined;
    const answer = this.#probe.probeStart(window.bytes, index, index + visible, state, visible < LOOK_BYTES);
    return answer.kind === "start" ? answer : undefined;
  }

  headBits(window: ByteWindow, offset: number, answer: Start): number {
    window.load(offset, LOOK_BYTES);
    return answer.evidenceBits + this.#model.headerBits(answer.header, window.bytes, offset - window.baseOffset);
  }

  startBits(window: ByteWindow, offset: number): number {
    const answer = this.startAt(window, offset);
    if (answer !== undefined) return this.headBits(window, offset, answer);
    return offset + LOOK_BYTES > window.sizeBytes ? this.#cutStartBits(window, offset) : 0;
  }

  /** Where the data end inside a frame's headers, the first of them tells what it can. */
  #cutStartBits(window: ByteWindow, offset: number): number {
    const visible = window.load(offset, LOOK_BYTES);
    const index = offset - window.baseOffset;
    const { bytes } = window;
    if (visible < 1 || !this.#model.isFamiliarStart(bytes[index] as number)) return 0;
    if (this.#probe.probeStart(bytes, index, index + visible, this.#state).kind !== "more") return 0;
    try {
      const header = parseVp9FrameHeader(new BitReader(bytes, index, index + visible), this.#state);
      return header ? header.fixedBits + this.#model.headerBits(header, bytes, index) : 0;
    } catch {
      return 0;
    }
  }

  /** log2 odds that the packet at `start` ends at `end`. Frames of a superframe speak for it as packets would. */
  endBits(window: ByteWindow, start: number, end: number, answer: Start): number {
    if (end - start < answer.minSizeBytes) return IMPOSSIBLE_BITS;
    if (answer.header.showExistingSlot !== undefined) return end - start === answer.minSizeBytes ? 0 : IMPOSSIBLE_BITS;
    const tail = Math.max(start, end - MAX_TAIL_BYTES);
    if (window.load(tail, end - tail) < end - tail) return IMPOSSIBLE_BITS;
    const base = window.baseOffset;
    const superframe = parseSuperframeIndex(window.bytes, tail - base, end - base);
    const bits = vp9EndEvidenceBits(window.bytes, start - base, end - base, this.#model, answer.minSizeBytes);
    if (superframe === undefined) return bits + (answer.header.showFrame ? 0 : HIDDEN_ALONE_BITS);
    return bits > 0 ? bits + this.#innerBits(window, start, superframe.frameBytes, answer.nextState) : bits;
  }

  /** Evidence for the frames of a superframe after the first. */
  #innerBits(window: ByteWindow, start: number, frameBytes: readonly number[], state: Vp9State): number {
    let bits = 0;
    let at = start;
    let now = state;
    for (const sizeBytes of frameBytes.slice(0, -1)) {
      at += sizeBytes;
      const answer = this.#probeAt(window, at, now);
      if (answer === undefined) return bits;
      bits += Math.min(MAX_INNER_BITS, this.headBits(window, at, answer));
      now = answer.nextState;
    }
    return bits;
  }
}
