import { type ByteSource, readExactly } from "../bytes/byte-source.ts";
import { parsePesHeader } from "./pes-header.ts";
import { type ElementaryStream, parsePat, parsePmt } from "./program-tables.ts";
import { parseTsPacket, TS_PACKET_BYTES, type TsPacket } from "./ts-packet.ts";

/** So many packets are read at once: 188 KiB. */
const PACKETS_PER_READ = 1024;
/** Of one PES packet at most so much is kept where nobody asks for more. */
const MAX_KEPT_BYTES = 256 * 1024;
/** More faults than this in one stretch say nothing new. */
const MAX_FAULTS = 16;

/** One PES packet: with what HLS packagers write, one picture, or a few frames of sound. */
export interface PesUnit {
  readonly stream: ElementaryStream;
  /** In ticks of 90 kHz, 33 bits. */
  readonly ptsTicks: number | undefined;
  readonly dtsTicks: number | undefined;
  /** The data behind its head, of long ones the first part. Valid during the visit alone. */
  readonly data: Uint8Array;
}

/** What was found besides the units. */
export interface TransportStreamReading {
  /** The streams of the program; empty where no PAT and PMT were found. */
  readonly streams: readonly ElementaryStream[];
  /** Sentences in the user's terms: jumps of continuity counters, bytes that are no packet. */
  readonly continuityFaults: readonly string[];
  readonly isScrambled: boolean;
}

/** The last counters of a stretch, from which the next one goes on. */
export type ContinuityCounters = Map<number, number>;

interface Assembly {
  readonly stream: ElementaryStream;
  readonly parts: Uint8Array[];
  bytes: number;
}

/**
 * Reads the packets in `[startBytes, endBytes)`, in pieces, and hands each PES packet to `visit` in the order of their ends.
 * `counters` is changed: pass the same one for stretches that follow each other, a new one after a discontinuity. `known`
 * are the streams where the stretch itself may not tell them. Of each PES packet `maxKeptBytes` at most are kept, 256 KiB unless told. Never throws on
 * content.
 */
export function readTransportStream(
  source: ByteSource,
  startBytes: number,
  endBytes: number,
  counters: ContinuityCounters,
  known: readonly ElementaryStream[],
  visit: (unit: PesUnit) => void,
  maxKeptBytes = MAX_KEPT_BYTES,
): TransportStreamReading {
  const reader = new Reader(counters, known, visit, maxKeptBytes);
  let offset = startBytes;
  while (offset + TS_PACKET_BYTES <= endBytes) {
    const packets = Math.min(PACKETS_PER_READ, Math.floor((endBytes - offset) / TS_PACKET_BYTES));
    const bytes = readExactly(source, offset, packets * TS_PACKET_BYTES);
    if (bytes === undefined) break;
    for (let index = 0; index < bytes.length; index += TS_PACKET_BYTES) {
      const packet = parseTsPacket(bytes, index);
      if (packet === undefined) reader.fault(`byte ${offset + index} begins no packet`);
      else reader.take(packet, offset + index);
    }
    offset += bytes.length;
  }
  if (offset !== endBytes) reader.fault(`the last ${endBytes - offset} bytes are no whole packet`);
  return reader.finish();
}

class Reader {
  readonly #counters: ContinuityCounters;
  readonly #visit: (unit: PesUnit) => void;
  readonly #maxKeptBytes: number;
  readonly #assemblies = new Map<number, Assembly>();
  readonly #faults: string[] = [];
  #streams: readonly ElementaryStream[];
  #pmtPid: number | undefined;
  #isScrambled = false;

  constructor(
    counters: ContinuityCounters,
    known: readonly ElementaryStream[],
    visit: (unit: PesUnit) => void,
    maxKeptBytes: number,
  ) {
    this.#counters = counters;
    this.#streams = known;
    this.#visit = visit;
    this.#maxKeptBytes = maxKeptBytes;
  }

  fault(message: string): void {
    if (this.#faults.length < MAX_FAULTS) this.#faults.push(message);
  }

  take(packet: TsPacket, offsetBytes: number): void {
    if (packet.pid === 0x1fff) return;
    this.#count(packet, offsetBytes);
    this.#isScrambled ||= packet.isScrambled;
    if (packet.pid === 0 && packet.isUnitStart) this.#pmtPid = parsePat(packet.payload) ?? this.#pmtPid;
    else if (packet.pid === this.#pmtPid && packet.isUnitStart)
      this.#streams = parsePmt(packet.payload) ?? this.#streams;
    else this.#collect(packet);
  }

  finish(): TransportStreamReading {
    for (const pid of [...this.#assemblies.keys()]) this.#close(pid);
    return { streams: this.#streams, continuityFaults: this.#faults, isScrambled: this.#isScrambled };
  }

  /** §2.4.3.3: counters rise by one with each payload; a packet may be sent twice. */
  #count(packet: TsPacket, offsetBytes: number): void {
    const before = this.#counters.get(packet.pid);
    this.#counters.set(packet.pid, packet.continuityCounter);
    if (before === undefined || packet.isDiscontinuity) return;
    const expected = packet.payload.length > 0 ? (before + 1) & 15 : before;
    if (packet.continuityCounter === expected || packet.continuityCounter === before) return;
    const found = `the continuity counter of PID ${packet.pid} is ${packet.continuityCounter} at byte ${offsetBytes}`;
    this.fault(`${found}; ${expected} is due`);
  }

  #collect(packet: TsPacket): void {
    if (packet.payload.length === 0) return;
    if (packet.isUnitStart) {
      this.#close(packet.pid);
      const stream = this.#streams.find(({ pid }) => pid === packet.pid);
      if (stream !== undefined) this.#assemblies.set(packet.pid, { stream, parts: [], bytes: 0 });
    }
    const assembly = this.#assemblies.get(packet.pid);
    if (assembly === undefined || assembly.bytes >= this.#maxKeptBytes) return;
    assembly.parts.push(packet.payload);
    assembly.bytes += packet.payload.length;
  }

  #close(pid: number): void {
    const assembly = this.#assemblies.get(pid);
    if (assembly === undefined) return;
    this.#assemblies.delete(pid);
    const bytes = new Uint8Array(assembly.bytes);
    let index = 0;
    for (const part of assembly.parts) {
      bytes.set(part, index);
      index += part.length;
    }
    const header = parsePesHeader(bytes);
    if (header === undefined) {
      this.fault(`a unit of PID ${pid} begins without a PES header`);
      return;
    }
    const { ptsTicks, dtsTicks, dataIndex } = header;
    this.#visit({ stream: assembly.stream, ptsTicks, dtsTicks, data: bytes.subarray(dataIndex) });
  }
}
