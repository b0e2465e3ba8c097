import { describe, expect, it } from "vitest";
import { createMemorySource } from "../../media/bytes/byte-source.ts";
import { ByteWindow } from "../../media/bytes/byte-window.ts";
import type { Candidate, PacketParser } from "../codecs/packet-parser.ts";
import { NO_PADDING } from "../learn/padding.ts";
import type { ScanModel } from "./model.ts";
import { Scanner } from "./scanner.ts";

const [GOOD, LURE, DECOY] = [0xa0, 0xb0, 0xc0];
const [GOOD_BYTES, LURED_BYTES, DECOY_BYTES] = [50, 400, 20];
const NOISE = 1;

function byteAt(window: ByteWindow, offset: number): number {
  window.load(offset, 1);
  return window.bytes[offset - window.baseOffset] ?? 0;
}

function createParser(look: (byte: number) => Partial<Candidate> | undefined): PacketParser {
  const candidateAt = (window: ByteWindow, offset: number, limit: number): Candidate | undefined => {
    const found = look(byteAt(window, offset));
    const candidate = { sizeBytes: 0, evidenceBits: 0, isSync: true, durationSamples: 0, ...found };
    return found && offset + candidate.sizeBytes <= limit ? candidate : undefined;
  };
  return {
    isSelfDelimiting: true,
    dependsOnPast: true,
    maxRunBytes: 0,
    usualRunBytes: [],
    probe: candidateAt,
    startEvidenceBits: (window, offset) => look(byteAt(window, offset))?.evidenceBits ?? 0,
    splitRun: () => [],
    continuityBits: () => 0,
    take: () => undefined,
    commit: () => undefined,
    reset: () => undefined,
  };
}

/** Parsers of good packets, and one that is lured where a good one starts and sees decoys until it took some. */
function createModel(): ScanModel {
  let taken = 0;
  const lured: PacketParser = {
    ...createParser((byte) => {
      if (taken >= 3) return undefined;
      return byte === LURE || byte === DECOY ? { sizeBytes: DECOY_BYTES, evidenceBits: 60 } : undefined;
    }),
    take: () => {
      taken++;
    },
  };
  const good = createParser((byte) => {
    if (byte === GOOD) return { sizeBytes: GOOD_BYTES, evidenceBits: 30 };
    return byte === LURE ? { sizeBytes: LURED_BYTES, evidenceBits: 20 } : undefined;
  });
  return {
    families: [{ tracks: [0] }, { tracks: [1] }],
    parsers: [good, lured],
    padding: NO_PADDING,
    interleave: undefined,
    transitionBits: () => 0,
  };
}

describe("Scanner", () => {
  it("remembers a hole whose first packet behind it was taken back for another", async () => {
    const [before, hole, behind] = [3, 100, 8];
    const lureOffset = before * GOOD_BYTES + hole;
    const bytes = new Uint8Array(lureOffset + LURED_BYTES + behind * GOOD_BYTES).fill(NOISE);
    for (let packet = 0; packet < before; packet++) bytes[packet * GOOD_BYTES] = GOOD;
    bytes[lureOffset] = LURE;
    for (let decoy = 1; decoy <= 5; decoy++) bytes[lureOffset + decoy * DECOY_BYTES] = DECOY;
    for (let at = lureOffset + LURED_BYTES; at < bytes.length; at += GOOD_BYTES) bytes[at] = GOOD;
    const scanner = new Scanner(new ByteWindow(createMemorySource(bytes)), createModel());
    await scanner.scan(0, bytes.length);
    const { log } = scanner.result;
    const packets = Array.from({ length: log.count }, (_, index) => ({
      offset: log.offset(index),
      sizeBytes: log.size(index),
      afterGap: log.isAfterGap(index),
    }));
    expect(packets).toHaveLength(before + 1 + behind);
    expect(packets[before]).toEqual({ offset: lureOffset, sizeBytes: LURED_BYTES, afterGap: true });
    expect(packets.filter(({ afterGap }) => afterGap)).toHaveLength(1);
  });

  it("tells zeros that begin inside a packet from what else is lost", async () => {
    const [before, zeros, behind] = [10 * GOOD_BYTES, 100_000, 30];
    const bytes = new Uint8Array(before + zeros + behind + 10 * GOOD_BYTES);
    for (let at = 0; at < bytes.length; at++) bytes[at] = NOISE;
    for (let at = 0; at < before; at += GOOD_BYTES) bytes[at] = GOOD;
    // The first bytes of a damaged packet stand before the zeros.
    bytes.fill(0, before + 20, before + 20 + zeros);
    for (let at = before + zeros + behind; at < bytes.length; at += GOOD_BYTES) bytes[at] = GOOD;
    const scanner = new Scanner(new ByteWindow(createMemorySource(bytes)), createModel());
    await scanner.scan(0, bytes.length);
    const { log, findings } = scanner.result;
    expect(log.count).toBe(20);
    expect(findings.map(({ kind, startOffset, endOffset }) => [kind, startOffset, endOffset])).toEqual([
      ["lost", before, before + 20],
      ["zeros", before + 20, before + 20 + zeros],
      ["lost", before + 20 + zeros, before + zeros + behind],
    ]);
  });
});
