import { closeSync, openSync } from "node:fs";
import type { Packet } from "./analyse.ts";
import { readAt } from "./layout.ts";
import { lowerBound } from "./match.ts";

/** An uncompressed packet found again: which wanted one, and the time at which the output plays its first byte. */
export interface PcmMatch {
  readonly wantedIndex: number;
  readonly foundSeconds?: number;
}

/**
 * Finds PCM packets by their bytes rather than by packet borders, since a demuxer groups PCM frames as it likes.
 * `output` is the output track's bytes in a row and `outputPackets` the packets they came in.
 */
export function matchPcm(
  wanted: readonly Packet[],
  originalPath: string,
  output: Buffer,
  outputPackets: readonly Packet[],
): PcmMatch[] {
  const starts: number[] = [0];
  for (const packet of outputPackets) starts.push((starts.at(-1) ?? 0) + packet.sizeBytes);
  const matches: PcmMatch[] = [];
  const original = openSync(originalPath, "r");
  let cursor = 0;
  try {
    wanted.forEach((packet, wantedIndex) => {
      const bytes = readAt(original, packet.offsetBytes ?? 0, packet.sizeBytes);
      const isNext = output.subarray(cursor, cursor + bytes.length).equals(bytes);
      const place = isNext ? cursor : output.indexOf(bytes, cursor);
      if (place < 0 || bytes.length === 0) return;
      cursor = place + bytes.length;
      const foundSeconds = timeOfByte(place, starts, outputPackets);
      matches.push({ wantedIndex, ...(foundSeconds === undefined ? {} : { foundSeconds }) });
    });
  } finally {
    closeSync(original);
  }
  return matches;
}

/** Interpolates within the packet: PCM plays its bytes at a constant rate. */
function timeOfByte(place: number, starts: readonly number[], packets: readonly Packet[]): number | undefined {
  const index = lowerBound(starts, place + 1) - 1;
  const packet = packets[index];
  if (packet?.presentationSeconds === undefined) return undefined;
  const intoBytes = place - (starts[index] ?? 0);
  const following = packets[index + 1]?.presentationSeconds;
  if (intoBytes > 0 && following !== undefined) {
    return packet.presentationSeconds + (intoBytes / packet.sizeBytes) * (following - packet.presentationSeconds);
  }
  const before = packets[index - 1];
  if (intoBytes > 0 && before?.presentationSeconds !== undefined) {
    const secondsPerByte = (packet.presentationSeconds - before.presentationSeconds) / before.sizeBytes;
    return packet.presentationSeconds + intoBytes * secondsPerByte;
  }
  return packet.presentationSeconds;
}
