import { firstIndexWhere } from "../../base/first-index.ts";
import type { PictureOrder } from "../codecs/packet-parser.ts";

const SYNC = 1;
const AFTER_GAP = 2;
const STARTS_SEQUENCE = 4;
const HAS_POC = 8;

/** One packet, or one run of PCM frames, found in the damaged bytes. */
export interface FoundPacket {
  /** Index of the family of tracks whose parser found it. */
  readonly family: number;
  /** Absolute offset in bytes. */
  readonly offset: number;
  readonly sizeBytes: number;
  readonly isSync: boolean;
  /** Whether bytes were lost directly before it. */
  readonly afterGap: boolean;
  readonly order?: PictureOrder | undefined;
}

const SEGMENT_SHIFT = 16;
const SEGMENT_PACKETS = 1 << SEGMENT_SHIFT;
const SEGMENT_MASK = SEGMENT_PACKETS - 1;

/** Columns of so many packets: growing adds a segment and copies nothing. */
class Segment {
  readonly offsets = new Float64Array(SEGMENT_PACKETS);
  readonly sizes = new Uint32Array(SEGMENT_PACKETS);
  readonly pocs = new Float64Array(SEGMENT_PACKETS);
  readonly pocModuli = new Uint32Array(SEGMENT_PACKETS);
  readonly families = new Uint8Array(SEGMENT_PACKETS);
  readonly flags = new Uint8Array(SEGMENT_PACKETS);
}

/** Every packet found, in file order, in columns: 26 bytes a packet. */
export class PacketLog {
  count = 0;
  readonly #segments: Segment[] = [];
  /** Places of the packets with a gap before them, rising. */
  readonly #gaps: number[] = [];

  push(packet: FoundPacket): void {
    const index = this.count++;
    const at = index & SEGMENT_MASK;
    if (at === 0) this.#segments.push(new Segment());
    const segment = this.#segment(index);
    if (packet.afterGap) this.#gaps.push(index);
    segment.offsets[at] = packet.offset;
    segment.sizes[at] = packet.sizeBytes;
    segment.families[at] = packet.family;
    segment.flags[at] =
      (packet.isSync ? SYNC : 0) |
      (packet.afterGap ? AFTER_GAP : 0) |
      (packet.order?.startsSequence ? STARTS_SEQUENCE : 0) |
      (packet.order ? HAS_POC : 0);
    segment.pocs[at] = packet.order?.poc ?? 0;
    segment.pocModuli[at] = packet.order?.pocModulus ?? 0;
  }

  isSync(index: number): boolean {
    return (this.#flag(index) & SYNC) !== 0;
  }

  isAfterGap(index: number): boolean {
    return (this.#flag(index) & AFTER_GAP) !== 0;
  }

  /** The first place from `first` on before which bytes were lost. O(log gaps). */
  gapFrom(first: number): number | undefined {
    return this.#gaps[firstIndexWhere(this.#gaps.length, (index) => (this.#gaps[index] as number) >= first)];
  }

  /** Whether bytes were lost before some packet of `[first, last]`. O(log gaps). */
  hasGapWithin(first: number, last: number): boolean {
    return (this.gapFrom(first) ?? Number.POSITIVE_INFINITY) <= last;
  }

  startsSequence(index: number): boolean {
    return (this.#flag(index) & STARTS_SEQUENCE) !== 0;
  }

  hasOrder(index: number): boolean {
    return (this.#flag(index) & HAS_POC) !== 0;
  }

  offset(index: number): number {
    return this.#segment(index).offsets[index & SEGMENT_MASK] as number;
  }

  size(index: number): number {
    return this.#segment(index).sizes[index & SEGMENT_MASK] as number;
  }

  family(index: number): number {
    return this.#segment(index).families[index & SEGMENT_MASK] as number;
  }

  /** Picture order count, 0 where there is none. */
  poc(index: number): number {
    return this.#segment(index).pocs[index & SEGMENT_MASK] as number;
  }

  /** What the picture order count wraps at, 0 where it is whole. */
  pocModulus(index: number): number {
    return this.#segment(index).pocModuli[index & SEGMENT_MASK] as number;
  }

  #flag(index: number): number {
    return this.#segment(index).flags[index & SEGMENT_MASK] as number;
  }

  #segment(index: number): Segment {
    return this.#segments[index >>> SEGMENT_SHIFT] as Segment;
  }
}
