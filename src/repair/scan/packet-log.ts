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
  /** Samples per channel (audio), 0 unknown. */
  readonly durationSamples: number;
  /** Whether bytes were lost directly before it. */
  readonly afterGap: boolean;
  readonly order?: PictureOrder | undefined;
}

/** Every packet found, in file order, in columns: 30 bytes a packet. */
export class PacketLog {
  count = 0;
  offsets = new Float64Array(1024);
  sizes = new Uint32Array(1024);
  families = new Uint8Array(1024);
  durations = new Uint32Array(1024);
  #flags = new Uint8Array(1024);
  /** Places of the packets with a gap before them, rising. */
  readonly #gaps: number[] = [];
  pocs = new Int32Array(1024);
  pocModuli = new Uint32Array(1024);

  push(packet: FoundPacket): void {
    if (this.count === this.offsets.length) this.#grow();
    const index = this.count++;
    if (packet.afterGap) this.#gaps.push(index);
    this.offsets[index] = packet.offset;
    this.sizes[index] = packet.sizeBytes;
    this.families[index] = packet.family;
    this.durations[index] = packet.durationSamples;
    this.#flags[index] =
      (packet.isSync ? SYNC : 0) |
      (packet.afterGap ? AFTER_GAP : 0) |
      (packet.order?.startsSequence ? STARTS_SEQUENCE : 0) |
      (packet.order ? HAS_POC : 0);
    this.pocs[index] = packet.order?.poc ?? 0;
    this.pocModuli[index] = packet.order?.pocModulus ?? 0;
  }

  isSync(index: number): boolean {
    return (this.#flag(index) & SYNC) !== 0;
  }

  isAfterGap(index: number): boolean {
    return (this.#flag(index) & AFTER_GAP) !== 0;
  }

  /** Whether bytes were lost before some packet of `[first, last]`. O(log gaps). */
  hasGapWithin(first: number, last: number): boolean {
    let [low, high] = [0, this.#gaps.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#gaps[middle] as number) < first) low = middle + 1;
      else high = middle;
    }
    return low < this.#gaps.length && (this.#gaps[low] as number) <= last;
  }

  startsSequence(index: number): boolean {
    return (this.#flag(index) & STARTS_SEQUENCE) !== 0;
  }

  hasOrder(index: number): boolean {
    return (this.#flag(index) & HAS_POC) !== 0;
  }

  offset(index: number): number {
    return this.offsets[index] as number;
  }

  size(index: number): number {
    return this.sizes[index] as number;
  }

  family(index: number): number {
    return this.families[index] as number;
  }

  #flag(index: number): number {
    return this.#flags[index] as number;
  }

  #grow(): void {
    const length = this.offsets.length * 2;
    const widen = <T extends { set(from: T): void }>(to: T, from: T): T => {
      to.set(from);
      return to;
    };
    this.offsets = widen(new Float64Array(length), this.offsets);
    this.sizes = widen(new Uint32Array(length), this.sizes);
    this.families = widen(new Uint8Array(length), this.families);
    this.durations = widen(new Uint32Array(length), this.durations);
    this.#flags = widen(new Uint8Array(length), this.#flags);
    this.pocs = widen(new Int32Array(length), this.pocs);
    this.pocModuli = widen(new Uint32Array(length), this.pocModuli);
  }
}
