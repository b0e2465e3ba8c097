import fc from "fast-check";
import { expect, it } from "vitest";
import { createMemorySource } from "../bytes/byte-source.ts";
import { readTransportStream } from "./read-transport-stream.ts";
import { TransportStreamWriter, type WrittenPicture } from "./transport-stream-writer.ts";
import { TS_PACKET_BYTES } from "./ts-packet.ts";

const ticks = fc.integer({ min: 0, max: 2 ** 33 - 1 });

it("makes packets that are read as the same pictures again, whatever their size and time", () => {
  const picture = fc.record({
    presentationTicks: ticks,
    decodeTicks: ticks,
    clockTicks: fc.integer({ min: -90_000, max: 2 ** 34 }),
    isKey: fc.boolean(),
    data: fc.uint8Array({ minLength: 1, maxLength: 1200 }),
  });
  fc.assert(
    fc.property(fc.array(picture, { minLength: 1, maxLength: 20 }), (pictures: WrittenPicture[]) => {
      const writer = new TransportStreamWriter();
      const bytes = new Uint8Array(
        [writer.tables(), ...pictures.map((one) => writer.picture(one)), writer.tables()].flatMap((part) => [...part]),
      );
      expect(bytes.length % TS_PACKET_BYTES).toBe(0);
      const found: unknown[] = [];
      const reading = readTransportStream(
        ...([createMemorySource(bytes), 0, bytes.length, new Map(), []] as const),
        ({ ptsTicks, dtsTicks, data }) => found.push({ ptsTicks, dtsTicks, data: [...data] }),
      );
      expect(reading.continuityFaults).toEqual([]);
      expect(reading.streams).toEqual([{ pid: 0x100, streamType: 0x1b }]);
      expect(found).toEqual(
        pictures.map(({ presentationTicks, decodeTicks, data }) => ({
          ...{ ptsTicks: presentationTicks, dtsTicks: decodeTicks, data: [...data] },
        })),
      );
    }),
  );
});

it("wraps times at 33 bits and marks where a decoder can begin", () => {
  const packet = new TransportStreamWriter().picture({
    ...{ presentationTicks: 2 ** 33 + 5, decodeTicks: 2 ** 33 + 5, clockTicks: 2 ** 33 + 3, isKey: true },
    data: Uint8Array.of(0, 0, 0, 1, 9, 0xf0),
  });
  expect(packet.length).toBe(TS_PACKET_BYTES);
  // random_access_indicator and PCR_flag; the PCR's 33 bits are 3.
  expect([...packet.subarray(5, 12)]).toEqual([0x50, 0, 0, 0, 1, 0xfe, 0]);
});

it("says of encrypted pictures that they are", () => {
  const bytes = new TransportStreamWriter(true).tables();
  const reading = readTransportStream(createMemorySource(bytes), 0, bytes.length, new Map(), [], () => undefined);
  expect(reading.streams).toEqual([{ pid: 0x100, streamType: 0xdb }]);
  expect(Buffer.from(bytes).includes(Buffer.from("\x0f\x04zavc", "latin1"))).toBe(true);
});
