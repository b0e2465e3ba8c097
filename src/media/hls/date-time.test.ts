import fc from "fast-check";
import { expect, it } from "vitest";
import { parseDateTime } from "./date-time.ts";

it("reads what the calendar has, in every zone", () => {
  const zone = fc.integer({ min: -23 * 60, max: 23 * 60 });
  const date = fc.date({ min: new Date("1000-01-02"), max: new Date("9998-12-30"), noInvalidDate: true });
  fc.assert(
    fc.property(date, zone, fc.constantFrom(":", ""), (at, minutes, colon) => {
      const local = new Date(at.getTime() + minutes * 60_000).toISOString().slice(0, -1);
      const [hours, rest] = [Math.floor(Math.abs(minutes) / 60), Math.abs(minutes) % 60];
      const two = (value: number): string => String(value).padStart(2, "0");
      const text = `${local}${minutes < 0 ? "-" : "+"}${two(hours)}${colon}${two(rest)}`;
      expect(parseDateTime(text)).toBeCloseTo(at.getTime(), 3);
    }),
  );
});

it.each([
  ["2026-02-28T10:20:30Z", "2026-02-28T10:20:30.000Z"],
  ["2024-02-29T10:20:30,5+09", "2024-02-29T01:20:30.500Z"],
  ["2026-02-28T10:20", "2026-02-28T10:20:00.000Z"],
])("reads %s", (text, expected) => {
  expect(new Date(parseDateTime(text) ?? Number.NaN).toISOString()).toBe(expected);
});

it.each(["2026-02-29T00:00:00Z", "2026-13-01T00:00:00Z", "2026-01-00T00:00:00Z", "2026-01-01T24:00:00Z"])(
  "has no %s",
  (text) => expect(parseDateTime(text)).toBeUndefined(),
);

it.each(["", "yesterday", "2026-01-01", "2026-01-01 10:00:00", "2026-01-01T10:00:61Z", "2026-01-01T10:00:00+9"])(
  "takes %j for none",
  (text) => expect(parseDateTime(text)).toBeUndefined(),
);
