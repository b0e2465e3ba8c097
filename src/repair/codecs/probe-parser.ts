import type { ByteWindow } from "../../media/bytes/byte-window.ts";
import type { PacketProbe } from "../../media/bytes/packet-probe.ts";
import { type Candidate, CUT, type PacketParser, type PictureOrder } from "./packet-parser.ts";

/** A codec's question to visible bytes. */
export type ProbeBytes<Answer extends PacketProbe = PacketProbe> = (
  bytes: Uint8Array,
  startIndex: number,
  endIndex: number,
) => Answer;

/** How a self-delimiting codec is probed. */
export interface ProbeSetup {
  /** Bytes shown at first; a probe may ask for more. */
  readonly firstLookBytes: number;
  /** No packet is longer: a probe that asks for more than this is answered with no. */
  readonly maxPacketBytes: number;
  /** A packet that shows less than this is none; 0 by default. */
  readonly minEvidenceBits?: number;
}

/**
 * Makes a parser of a codec whose packets tell their own size and depend on no other packet. `detailOf` tells what of a
 * probe's answer is wanted back when the packet is taken.
 */
export function createProbeParser<Answer extends PacketProbe>(
  setup: ProbeSetup,
  probeBytes: ProbeBytes<Answer>,
  detailOf?: (answer: Answer) => unknown,
): PacketParser {
  const look = (window: ByteWindow, offset: number, limit: number): Answer | { readonly kind: "no" } | typeof CUT => {
    let wanted = setup.firstLookBytes;
    while (true) {
      const visible = Math.min(window.load(offset, wanted), limit - offset);
      const start = offset - window.baseOffset;
      const answer = probeBytes(window.bytes, start, start + Math.max(0, visible));
      if (answer.kind !== "more") return answer;
      if (answer.neededBytes > limit - offset) return CUT;
      if (answer.neededBytes > setup.maxPacketBytes || answer.neededBytes <= wanted) return { kind: "no" };
      wanted = answer.neededBytes;
    }
  };
  return {
    ...STATELESS,
    probe(window, offset, limit) {
      const answer = look(window, offset, limit);
      if (answer === CUT) return CUT;
      if (answer.kind !== "packet" || answer.evidenceBits < (setup.minEvidenceBits ?? 0)) return undefined;
      const candidate = toCandidate(answer, offset, limit);
      return candidate === CUT || !detailOf ? candidate : { ...candidate, detail: detailOf(answer) };
    },
    startEvidenceBits(window, offset) {
      const answer = look(window, offset, window.sizeBytes);
      return answer === CUT || (answer.kind !== "packet" && answer.kind !== "open") ? 0 : answer.evidenceBits;
    },
  };
}

/** What parsers of self-delimiting packets without memory have in common. */
export const STATELESS = {
  isSelfDelimiting: true,
  dependsOnPast: false,
  maxRunBytes: 0,
  usualRunBytes: [],
  splitRun: () => [],
  continuityBits: () => 0,
  take: () => {},
  commit: (): PictureOrder | undefined => undefined,
  reset: () => {},
} as const satisfies Partial<PacketParser>;

/** A probe's packet as a candidate; a packet past the end of the data is cut. */
function toCandidate(
  packet: PacketProbe & { readonly kind: "packet" },
  offset: number,
  limit: number,
): Candidate | typeof CUT {
  if (offset + packet.sizeBytes > limit) return CUT;
  const { sizeBytes, evidenceBits, isSync } = packet;
  return { sizeBytes, evidenceBits, isSync, durationSamples: packet.durationSamples ?? 0 };
}
