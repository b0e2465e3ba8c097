import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createMemorySource } from "../bytes/byte-source.ts";
import { parsePesHeader } from "./pes-header.ts";
import { parsePat, parsePmt } from "./program-tables.ts";
import { readTransportStream } from "./read-transport-stream.ts";
import { parseTsPacket, TS_PACKET_BYTES } from "./ts-packet.ts";

const VIDEO_PID = 0x100;
const PMT_PID = 0x1000;

/** A packet whose payload is filled up by an adaptation field. */
function packet(pid: number, counter: number, isUnitStart: boolean, payload: readonly number[]): number[] {
  const stuffing = 184 - payload.length;
  const head = [0x47, (isUnitStart ? 0x40 : 0) | (pid >> 8), pid & 0xff, (stuffing > 0 ? 0x30 : 0x10) | counter];
  const field = stuffing === 0 ? [] : [stuffing - 1, ...(stuffing > 1 ? [0, ...Array(stuffing - 2).fill(0xff)] : [])];
  return [...head, ...field, ...payload];
}

const PAT = [0, 0, 0xb0, 13, 0, 1, 0xc1, 0, 0, 0, 1, 0xe0 | (PMT_PID >> 8), PMT_PID & 0xff, 0, 0, 0, 0];
const STREAM = [0x1b, 0xe0 | (VIDEO_PID >> 8), VIDEO_PID & 0xff, 0xf0, 0];
const PMT = [0, 2, 0xb0, 18, 0, 1, 0xc1, 0, 0, 0xe1, 0, 0xf0, 0, ...STREAM, 0, 0, 0, 0];
/** PTS 8589934591 (the largest) and DTS 1. */
const TIMES = [0x3f, 0xff, 0xff, 0xff, 0xff, 0x11, 0, 1, 0, 3];
const PES = [0, 0, 1, 0xe0, 0, 0, 0x80, 0xc0, 10, ...TIMES];

function stream(...counters: readonly number[]): Uint8Array {
  const units = counters.map((counter, index) => packet(VIDEO_PID, counter, true, [...PES, 0xa0 + index]));
  return Uint8Array.from([packet(0, 0, true, PAT), packet(PMT_PID, 0, true, PMT), ...units].flat());
}

function read(bytes: Uint8Array) {
  const units: { pid: number; data: number[] }[] = [];
  const reading = readTransportStream(createMemorySource(bytes), 0, bytes.length, new Map(), [], (unit) =>
    units.push({ pid: unit.stream.pid, data: [...unit.data] }),
  );
  return { ...reading, units };
}

describe("a transport stream", () => {
  it("gives each PES packet's data by the stream that the tables name", () => {
    const { streams, units, continuityFaults } = read(stream(3, 4));
    expect(streams).toEqual([{ pid: VIDEO_PID, streamType: 0x1b }]);
    expect(units).toEqual([
      { pid: VIDEO_PID, data: [0xa0] },
      { pid: VIDEO_PID, data: [0xa1] },
    ]);
    expect(continuityFaults).toEqual([]);
  });

  it.each([
    ["goes on from 15 to 0", [14, 15, 0], 0],
    ["may stay, where a packet is sent twice", [3, 3], 0],
    ["may not jump", [3, 5], 1],
    ["may not go back", [3, 2], 1],
  ])("has counters: %s", (_name, counters, faults) => {
    expect(read(stream(...counters)).continuityFaults).toHaveLength(faults);
  });

  it("is said to be no packets where bytes are missing", () => {
    const bytes = stream(3, 4);
    const { continuityFaults } = read(bytes.subarray(0, bytes.length - 10));
    expect(continuityFaults).toEqual(["the last 178 bytes are no whole packet"]);
  });

  it("has 33 bits of time", () => {
    expect(parsePesHeader(Uint8Array.from(PES))).toEqual({ ptsTicks: 2 ** 33 - 1, dtsTicks: 1, dataIndex: 19 });
    expect(parsePesHeader(Uint8Array.from(PES.slice(0, 18)))).toBeUndefined();
  });

  it("is read whatever it holds", () => {
    const edit = fc.record({ at: fc.nat({ max: 5 * TS_PACKET_BYTES }), value: fc.nat({ max: 255 }) });
    fc.assert(
      fc.property(fc.array(edit, { maxLength: 20 }), (edits) => {
        const bytes = stream(3, 4, 5);
        for (const { at, value } of edits) bytes[at % bytes.length] = value;
        expect(read(bytes).units.length).toBeLessThanOrEqual(5);
      }),
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        parsePat(bytes);
        parsePmt(bytes);
        parsePesHeader(bytes);
        const parsed = parseTsPacket(bytes, 0);
        expect(parsed === undefined || parsed.payload.length <= 184).toBe(true);
      }),
    );
  });
});
