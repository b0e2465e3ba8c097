import { NO_PACKET, type PacketProbe } from "../bytes/packet-probe.ts";
import { BoundedBits } from "../flac/bounded-bits.ts";
import type { AlacConfig } from "./alac-config.ts";
import { PacketParser } from "./packet-parser.ts";

/** Finds Apple Lossless packets of one configuration. Holds buffers and is for one caller at a time. */
export interface AlacProbe {
  /** What starts at `bytes[startIndex]`, looking no further than `endIndex`. Never throws. */
  probe(bytes: Uint8Array, startIndex: number, endIndex: number): PacketProbe;
}

/** Element headers, predictor coefficients, alignment and a little fill, for each channel. */
const CHANNEL_OVERHEAD_BYTES = 160;

/** A probe for the packets that `config` describes. */
export function createAlacProbe(config: AlacConfig): AlacProbe {
  const bits = new BoundedBits();
  const parser = new PacketParser(config, bits);
  // An encoder writes samples plainly before it lets a packet outgrow them.
  const sampleBytes = Math.ceil((config.frameSamples * (config.bitsPerSample + 1)) / 8);
  const maxPacketBytes = config.channels * (sampleBytes + CHANNEL_OVERHEAD_BYTES);
  const more: PacketProbe = { kind: "more", neededBytes: maxPacketBytes };
  return {
    probe(bytes, startIndex, endIndex) {
      bits.place(bytes, startIndex, endIndex);
      if (bits.endBit === 0) return more;
      const isPacket = parser.parse();
      if (bits.isPastEnd) return bits.endBit / 8 >= maxPacketBytes ? NO_PACKET : more;
      const sizeBytes = bits.bit / 8;
      if (!isPacket || sizeBytes > maxPacketBytes) return NO_PACKET;
      const { evidenceBits, samples } = parser;
      return { kind: "packet", sizeBytes, evidenceBits, isSync: true, durationSamples: samples };
    },
  };
}
