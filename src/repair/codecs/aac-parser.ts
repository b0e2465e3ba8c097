import type { AacFrame } from "../../media/aac/aac-frame.ts";
import { isLegalWindowTransition } from "../../media/aac/aac-frame.ts";
import { createAacProbe } from "../../media/aac/aac-probe.ts";
import type { AudioSpecificConfig } from "../../media/aac/audio-specific-config.ts";
import type { ByteWindow } from "../../media/bytes/byte-window.ts";
import { type Candidate, CUT, type PacketParser } from "./packet-parser.ts";
import { STATELESS } from "./probe-parser.ts";

/** Encoders rarely break the order of window shapes: one that fits or not says this much. */
const TRANSITION_BITS = 2;
const BREAK_BITS = -6;
/** 6144 bits per channel, 48 channels at the very most. */
const MAX_FRAME_BYTES = 768 * 48;
const FIRST_LOOK_BYTES = 2048;

/** Finds raw AAC frames by parsing them. Undefined for object types whose frames do not tell their end. */
export function createAacParser(config: AudioSpecificConfig): PacketParser | undefined {
  const probe = createAacProbe(config);
  if (!probe.isExact) return undefined;
  let last: AacFrame | undefined;
  const look = (window: ByteWindow, offset: number, limit: number): AacFrame | typeof CUT | undefined => {
    let wanted = FIRST_LOOK_BYTES;
    while (true) {
      const visible = Math.min(window.load(offset, wanted), limit - offset);
      const start = offset - window.baseOffset;
      const answer = probe.parseFrame(window.bytes, start, start + Math.max(0, visible));
      if (answer.kind === "frame") return answer;
      if (answer.kind === "no") return undefined;
      if (visible >= limit - offset) return CUT;
      if (wanted >= MAX_FRAME_BYTES) return undefined;
      wanted *= 2;
    }
  };
  return {
    ...STATELESS,
    probe(window, offset, limit) {
      const frame = look(window, offset, limit);
      if (frame === CUT || frame === undefined) return frame;
      if (offset + frame.sizeBytes > limit) return CUT;
      const { sizeBytes, evidenceBits, durationSamples } = frame;
      return { sizeBytes, evidenceBits, durationSamples, isSync: true, detail: frame };
    },
    startEvidenceBits(window, offset) {
      const frame = look(window, offset, window.sizeBytes);
      return frame === CUT || frame === undefined ? 0 : frame.evidenceBits;
    },
    continuityBits(candidate: Candidate) {
      if (last === undefined) return 0;
      const frame = candidate.detail as AacFrame;
      return isLegalWindowTransition(last.windowSequence, frame.windowSequence) ? TRANSITION_BITS : BREAK_BITS;
    },
    take(candidate) {
      last = candidate.detail as AacFrame;
    },
    reset() {
      last = undefined;
    },
  };
}
