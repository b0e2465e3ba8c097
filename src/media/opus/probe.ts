import { NO_PACKET, type PacketProbe } from "../bytes/packet-probe.ts";
import type { OpusStreamState } from "./evaluate.ts";
import type { OpusModel } from "./model.ts";
import { parseOpusToc } from "./toc.ts";

/**
 * Whether a packet of the model's track may start at `startIndex`. Opus packets do not state their size: the answer is
 * `open`, with the sizes the track knows, and `splitOpusRun` finds the ends. `durationSamples` (48 kHz) is left out
 * where the number of frames stands in a later byte.
 */
export function probeOpusStart(
  bytes: Uint8Array,
  startIndex: number,
  endIndex: number,
  model: OpusModel,
  states: readonly OpusStreamState[],
): PacketProbe {
  const first = bytes[startIndex];
  if (first === undefined || startIndex >= endIndex || !model.isStart(first)) return NO_PACKET;
  const { minBytes, maxBytes } = model.sizeBounds;
  const reach = Math.min(endIndex, startIndex + maxBytes);
  const startBits = model.startBits(bytes, startIndex, reach, states);
  const toc = parseOpusToc(first);
  const open = {
    kind: "open",
    minSizeBytes: minBytes,
    maxSizeBytes: maxBytes,
    evidenceBits: Math.max(0, Math.round(model.tocBits(first) + (Number.isFinite(startBits) ? startBits : 0))),
    isSync: true,
  } as const;
  if (toc.code === 3) return open;
  return { ...open, durationSamples: toc.frameSamples * (toc.code === 0 ? 1 : 2) };
}
