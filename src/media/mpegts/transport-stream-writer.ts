import { ENCRYPTED_AVC_DESCRIPTOR, ENCRYPTED_AVC_TYPE } from "./stream-encryption.ts";
import { TS_PACKET_BYTES, TS_SYNC_BYTE } from "./ts-packet.ts";

const PAT_PID = 0;
const PMT_PID = 0x1000;
const VIDEO_PID = 0x100;
const VIDEO_STREAM_ID = 0xe0;
const AVC_TYPE = 0x1b;
const PAYLOAD_BYTES = TS_PACKET_BYTES - 4;
/** Time stamps have 33 bits. */
const WRAP_TICKS = 2 ** 33;
const NO_FIELD = new Uint8Array(0);

/** One picture: an access unit with start codes. */
export interface WrittenPicture {
  /** In ticks of 90 kHz; taken modulo 2^33. */
  readonly presentationTicks: number;
  readonly decodeTicks: number;
  /** The clock when the picture begins to arrive; no later than `decodeTicks`. */
  readonly clockTicks: number;
  /** A decoder can begin here. */
  readonly isKey: boolean;
  readonly data: Uint8Array;
}

/** Makes the packets of a transport stream with one program of one H.264 stream (ISO/IEC 13818-1 §2.4). */
export class TransportStreamWriter {
  readonly #counters = new Map<number, number>();
  readonly #isEncrypted: boolean;

  /** `isEncrypted`: the NAL units of the pictures are sealed. */
  constructor(isEncrypted = false) {
    this.#isEncrypted = isEncrypted;
  }

  /** A PAT and a PMT, one packet each: what a decoder needs before anything else. */
  tables(): Uint8Array {
    const pmt = [0xe0 | (PMT_PID >> 8), PMT_PID & 0xff];
    const video = [0xe0 | (VIDEO_PID >> 8), VIDEO_PID & 0xff];
    const programs = section(0, [0, 1, 0xc1, 0, 0, 0, 1, ...pmt]);
    const [type, descriptors] = this.#isEncrypted
      ? ([ENCRYPTED_AVC_TYPE, ENCRYPTED_AVC_DESCRIPTOR] as const)
      : ([AVC_TYPE, []] as const);
    const stream = [type, ...video, 0xf0, descriptors.length, ...descriptors];
    const streams = section(2, [0, 1, 0xc1, 0, 0, ...video, 0xf0, 0, ...stream]);
    return join([
      this.#packets(PAT_PID, filled(programs), NO_FIELD),
      this.#packets(PMT_PID, filled(streams), NO_FIELD),
    ]);
  }

  /** One picture as a PES packet with the clock before it. */
  picture({ presentationTicks, decodeTicks, clockTicks, isKey, data }: WrittenPicture): Uint8Array {
    const isReordered = presentationTicks !== decodeTicks;
    const times = isReordered
      ? [...timestamp(3, presentationTicks), ...timestamp(1, decodeTicks)]
      : timestamp(2, presentationTicks);
    // Length 0: up to the next one (§2.4.3.7). The data begin with an access unit.
    const head = [0, 0, 1, VIDEO_STREAM_ID, 0, 0, 0x84, isReordered ? 0xc0 : 0x80, times.length, ...times];
    const field = Uint8Array.of(isKey ? 0x50 : 0x10, ...clock(clockTicks));
    return this.#packets(VIDEO_PID, join([Uint8Array.from(head), data]), field);
  }

  /** The payload in as many packets as it takes; `field` is the first one's adaptation field without its length. */
  #packets(pid: number, payload: Uint8Array, field: Uint8Array): Uint8Array {
    const packets: Uint8Array[] = [];
    for (let index = 0; index < payload.length; ) {
      const own = index === 0 ? field : NO_FIELD;
      const roomBytes = PAYLOAD_BYTES - (own.length > 0 ? own.length + 1 : 0);
      const part = payload.subarray(index, index + roomBytes);
      packets.push(this.#packet(pid, index === 0, own, part));
      index += part.length;
    }
    return join(packets);
  }

  #packet(pid: number, isStart: boolean, own: Uint8Array, part: Uint8Array): Uint8Array {
    const counter = this.#counters.get(pid) ?? 0;
    this.#counters.set(pid, (counter + 1) & 15);
    const packet = new Uint8Array(TS_PACKET_BYTES).fill(0xff);
    const fieldBytes = PAYLOAD_BYTES - part.length;
    packet.set([TS_SYNC_BYTE, (isStart ? 0x40 : 0) | (pid >> 8), pid & 0xff, (fieldBytes > 0 ? 0x30 : 0x10) | counter]);
    // Stuffing is what is left of the field; one of a single byte has a length and nothing else (§2.4.3.5).
    if (fieldBytes > 0) packet[4] = fieldBytes - 1;
    if (fieldBytes > 1) packet.set(own.length > 0 ? own : [0], 5);
    packet.set(part, TS_PACKET_BYTES - part.length);
    return packet;
  }
}

/** A section from table_id to CRC_32 behind a pointer field (§2.4.4). */
function section(tableId: number, content: readonly number[]): Uint8Array {
  const length = content.length + 4;
  const bytes = [tableId, 0xb0 | (length >> 8), length & 0xff, ...content];
  const crc = crc32(bytes);
  return Uint8Array.of(0, ...bytes, crc >>> 24, (crc >>> 16) & 0xff, (crc >>> 8) & 0xff, crc & 0xff);
}

/** Sections fill their packet with 0xff. */
function filled(bytes: Uint8Array): Uint8Array {
  const payload = new Uint8Array(PAYLOAD_BYTES).fill(0xff);
  payload.set(bytes);
  return payload;
}

/** CRC_32 of ISO/IEC 13818-1 annex A. */
function crc32(bytes: readonly number[]): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte << 24;
    for (let bit = 0; bit < 8; bit++) crc = (crc & 0x80000000) === 0 ? crc << 1 : (crc << 1) ^ 0x04c11db7;
  }
  return crc >>> 0;
}

function wrapped(ticks: number): number {
  return ((ticks % WRAP_TICKS) + WRAP_TICKS) % WRAP_TICKS;
}

/** PTS or DTS behind its four bits (§2.4.3.6). */
function timestamp(prefix: number, ticks: number): readonly number[] {
  const value = wrapped(ticks);
  const high = Math.floor(value / 2 ** 30);
  const middle = Math.floor(value / 2 ** 15) & 0x7fff;
  const low = value % 2 ** 15;
  return [(prefix << 4) | (high << 1) | 1, middle >> 7, ((middle & 0x7f) << 1) | 1, low >> 7, ((low & 0x7f) << 1) | 1];
}

/** program_clock_reference, its extension 0 (§2.4.3.5). */
function clock(ticks: number): readonly number[] {
  const value = wrapped(ticks);
  const high = Math.floor(value / 2);
  return [(high >>> 24) & 0xff, (high >>> 16) & 0xff, (high >>> 8) & 0xff, high & 0xff, ((value & 1) << 7) | 0x7e, 0];
}

function join(parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let index = 0;
  for (const part of parts) {
    joined.set(part, index);
    index += part.length;
  }
  return joined;
}
