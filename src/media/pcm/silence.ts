import type { PcmLayout } from "./pcm-layout.ts";

/** G.711's codes for zero. */
const COMPANDED_SILENCE = { ulaw: 0xff, alaw: 0xd5 } as const;

/** The bytes of one silent frame, all channels. */
export function silentFrame(layout: PcmLayout): Uint8Array {
  const frame = new Uint8Array(layout.bytesPerFrame);
  if (layout.companding) return frame.fill(COMPANDED_SILENCE[layout.companding]);
  if (layout.isSigned || layout.isFloat) return frame;
  // Offset binary: half of full scale.
  const sampleBytes = layout.bitsPerSample / 8;
  for (let at = layout.isBigEndian ? 0 : sampleBytes - 1; at < frame.length; at += sampleBytes) frame[at] = 0x80;
  return frame;
}
