import { expect, it } from "vitest";
import { forcedKeys } from "./picture-arguments.ts";

function every(ms: number, count: number): readonly number[] {
  return Array.from({ length: count }, (_, index) => (index * ms) / 1000);
}

it("counts one forced key picture each two seconds, and one for each that a gap made late", () => {
  expect(forcedKeys({ keyPictures: null }, every(40, 125))).toBe(3);
  expect(forcedKeys({ keyPictures: null }, every(33.333, 60))).toBe(1);
  expect(forcedKeys({ keyPictures: null }, [0, 1, 7, 7.5, 7.9, 8, 8.5])).toBe(5);
  expect(forcedKeys({ keyPictures: null }, [])).toBe(0);
});

it("counts them by pictures where they are forced so", () => {
  expect(forcedKeys({ keyPictures: 50 }, every(40, 125))).toBe(3);
  expect(forcedKeys({ keyPictures: 50 }, every(40, 100))).toBe(2);
});
