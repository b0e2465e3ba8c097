import type { ByteWindow } from "../../media/bytes/byte-window.ts";
import { vp9EndEvidenceBits } from "../../media/vp9/end-evidence.ts";
import { Vp9Model } from "../../media/vp9/model.ts";
import { createVp9Probe, type Vp9StartProbe } from "../../media/vp9/probe.ts";
import { parseSuperframeIndex } from "../../media/vp9/superframe.ts";
import type { Vp9State } from "../../media/vp9/uncompressed-header.ts";
import type { PacketParser, Run } from "./packet-parser.ts";
import { STATELESS } from "./probe-parser.ts";

const LOOK_BYTES = 4096;
const MAX_PACKET_BYTES = 8 * 1024 * 1024;
/** An end less likely than this is none. */
const MIN_END_BITS = -8;

/** What a packet found passes on to the next one. */
interface Vp9Packet {
  readonly bytes: Uint8Array;
}

/**
 * Finds VP9 packets: their starts by both frame headers, their ends, which they do not tell, by the coder's flush and by
 * what follows. The model is learnt from the reference and from every packet taken.
 */
export function createVp9Parser(vpccPayload: Uint8Array, samples: Iterable<Uint8Array>, largestBytes: number): PacketParser {
  const probe = createVp9Probe(vpccPayload);
  const model = new Vp9Model();
  let state: Vp9State = probe.initialState;
  const observe = (packet: Uint8Array): void => {
    let start = 0;
    const ends = parseSuperframeIndex(packet, 0, packet.length)?.frameBytes ?? [packet.length];
    for (const sizeBytes of ends) {
      const end = Math.min(packet.length, start + sizeBytes);
      const answer = probe.probeStart(packet, start, end, state, true);
      if (answer.kind !== "start") return;
      model.observe(answer.header, packet, start, end);
      state = answer.nextState;
      start = end;
    }
  };
  for (const sample of samples) observe(sample);
  const startAt = (window: ByteWindow, offset: number): (Vp9StartProbe & { kind: "start" }) | undefined => {
    const visible = window.load(offset, LOOK_BYTES);
    const index = offset - window.baseOffset;
    if (visible < 1 || !model.isFamiliarStart(window.bytes[index] as number)) return undefined;
    const answer = probe.probeStart(window.bytes, index, index + visible, state, visible < LOOK_BYTES);
    return answer.kind === "start" ? answer : undefined;
  };
  const startBits = (window: ByteWindow, offset: number): number => {
    const answer = startAt(window, offset);
    if (answer === undefined) return 0;
    return answer.evidenceBits + model.headerBits(answer.header, window.bytes, offset - window.baseOffset);
  };
  return {
    ...STATELESS,
    codec: "vp9",
    isSelfDelimiting: false,
    dependsOnPast: true,
    maxRunBytes: Math.min(MAX_PACKET_BYTES, largestBytes * 4),
    probe: () => undefined,
    startEvidenceBits: (window, offset) => Math.max(0, startBits(window, offset)),
    splitRun(window, start, end): readonly Run[] {
      const answer = startAt(window, start);
      if (answer === undefined || end - start > MAX_PACKET_BYTES || window.load(start, end - start) < end - start) return [];
      const index = start - window.baseOffset;
      const endBits = vp9EndEvidenceBits(window.bytes, index, index + end - start, model, answer.minSizeBytes);
      if (endBits < MIN_END_BITS) return [];
      const bits = answer.evidenceBits + model.headerBits(answer.header, window.bytes, index) + endBits;
      const detail: Vp9Packet = { bytes: window.bytes.slice(index, index + end - start) };
      const packet = { sizeBytes: end - start, evidenceBits: answer.evidenceBits, isSync: answer.isSync, durationSamples: 0, detail };
      return [{ packets: [packet], costBits: -bits }];
    },
    take: (candidate) => observe((candidate.detail as Vp9Packet).bytes),
  };
}
