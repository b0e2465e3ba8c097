import type { ByteWindow } from "../../media/bytes/byte-window.ts";
import { createLearnedProbe, type LearnedProbe, learnSamples } from "../../media/metadata/learned-probe.ts";
import type { TrackProfile } from "../learn/profile.ts";
import type { Candidate, PacketParser, Run } from "./packet-parser.ts";
import { STATELESS } from "./probe-parser.ts";

const LEARNT_SAMPLES = 512;
const HEAD_BYTES = 64;
const MAX_RUN_BYTES = 4 * 1024 * 1024;
/** A start inside a run must show this much of what the reference's samples have in common. */
const MIN_START_BITS = 12;
/** Starts looked at in one run: a bound on hostile input. */
const MAX_STARTS = 256;
const SEEN_SIZE_BITS = 3;
/** Bytes between known packets that are as many as every sample has: chance rarely makes them so. */
const CONSTANT_SIZE_BITS = 10;
const NEW_SIZE_BITS = 14;

/**
 * Finds samples of a codec that Reelmill does not parse: what stands between packets of other tracks, in sizes that the
 * reference made likely, cut where the bytes look as its samples' starts do.
 */
export function createOpaqueParser(profile: TrackProfile): PacketParser {
  const { minSizeBytes, maxSizeBytes } = profile;
  const stats = learnSamples(profile.readSamples(LEARNT_SAMPLES));
  const probe = createLearnedProbe(stats);
  const isConstant = minSizeBytes === maxSizeBytes;
  const seen = new Set(profile.track.samples.sizes.slice(0, 4096));
  const usualRun = Math.max(1, ...profile.runSamples.slice(0, 8).map((share) => share.value));
  const maxRunBytes = Math.min(MAX_RUN_BYTES, Math.max(1, maxSizeBytes * 2 * usualRun));
  const look = (window: ByteWindow, offset: number): ReturnType<LearnedProbe["probe"]> => {
    const visible = window.load(offset, HEAD_BYTES);
    const index = offset - window.baseOffset;
    return probe.probe(window.bytes, index, index + visible);
  };
  const startBits = (window: ByteWindow, offset: number): number => {
    const answer = look(window, offset);
    return answer.kind === "packet" || answer.kind === "open" ? Math.min(answer.evidenceBits, 40) : 0;
  };
  const sizeBits = (sizeBytes: number): number => {
    if (isConstant && sizeBytes === minSizeBytes) return -CONSTANT_SIZE_BITS;
    if (seen.has(sizeBytes) || sizeBytes === profile.track.samples.constantSizeBytes) return SEEN_SIZE_BITS;
    return sizeBytes <= maxSizeBytes * 2 ? NEW_SIZE_BITS : NEW_SIZE_BITS + Math.log2(sizeBytes);
  };
  return {
    ...STATELESS,
    isSelfDelimiting: false,
    maxRunBytes,
    usualRunBytes: isConstant ? profile.runSamples.slice(0, 8).map((share) => share.value * minSizeBytes) : [],
    probe: () => undefined,
    // Few samples have nothing in common that can be relied on: then any byte may be a start.
    startEvidenceBits: (window, offset) => Math.max(1, startBits(window, offset) - 1),
    splitRun(window, start, end): readonly Run[] {
      if (end <= start || end - start > maxRunBytes) return [];
      const starts = [start];
      for (let at = start + Math.max(1, minSizeBytes >> 1); at < end && starts.length < MAX_STARTS; at++) {
        if (startBits(window, at) >= MIN_START_BITS) starts.push(at);
      }
      const run = cheapestSplit(starts, end, (from, to) => sizeBits(to - from) - startBits(window, from));
      let at = start;
      const packets = run.packets.map((packet) => {
        const detail = look(window, at).changedBits;
        at += packet.sizeBytes;
        return { ...packet, detail };
      });
      return [{ ...run, packets }];
    },
    take({ detail }) {
      if (detail instanceof Uint8Array) probe.learn(detail);
    },
  };
}

/** Dynamic programming over the starts: the cheapest chain of packets from the first start to the end. */
function cheapestSplit(starts: readonly number[], end: number, costOf: (from: number, to: number) => number): Run {
  const places = [...starts, end];
  const costs = new Float64Array(places.length).fill(Number.POSITIVE_INFINITY);
  const before = new Int32Array(places.length).fill(-1);
  costs[0] = 0;
  for (let to = 1; to < places.length; to++) {
    for (let from = 0; from < to; from++) {
      const cost = (costs[from] as number) + costOf(places[from] as number, places[to] as number);
      if (cost >= (costs[to] as number)) continue;
      costs[to] = cost;
      before[to] = from;
    }
  }
  const packets: Candidate[] = [];
  for (let to = places.length - 1; to > 0; to = before[to] as number) {
    const sizeBytes = (places[to] as number) - (places[before[to] as number] as number);
    packets.unshift({ sizeBytes, evidenceBits: 0, isSync: true, durationSamples: 0 });
  }
  return { packets, costBits: costs[places.length - 1] as number };
}
