import { describe, expect, it } from "vitest";
import { createVopClock, groupSeconds, type VopClock, type VopTime } from "./vop-clock.ts";

const RESOLUTION = 10;

/** A VOP such as an encoder writes: `modulo` whole seconds since its base, then ticks. */
function vop(codingType: "I" | "P" | "B", modulo: number, ticks: number, group?: number): VopTime {
  return {
    codingType,
    moduloTimeBaseSeconds: modulo,
    timeIncrementTicks: ticks,
    resolution: RESOLUTION,
    groupSeconds: group,
  };
}

function timesOf(clock: VopClock, ...vops: VopTime[]): number[] {
  return vops.map((one) => clock.presentationTicks(one));
}

describe("createVopClock", () => {
  it("counts reference VOPs from the one before, B-VOPs from the one before that", () => {
    const times = timesOf(
      createVopClock(),
      vop("I", 0, 0),
      vop("P", 1, 2),
      vop("B", 0, 9),
      vop("B", 1, 1),
      vop("P", 0, 5),
    );
    expect(times).toEqual([0, 12, 9, 11, 15]);
  });

  it("goes on after a loss with whole seconds unknown", () => {
    const clock = createVopClock();
    timesOf(clock, vop("I", 0, 0), vop("P", 2, 0));
    expect(clock.isAbsolute).toBe(true);
    clock.reset();
    expect(timesOf(clock, vop("P", 0, 4))).toEqual([24]);
    expect(clock.isAbsolute).toBe(false);
  });

  it("starts a second at a reference VOP that would be shown before B-VOPs that it follows", () => {
    const clock = createVopClock();
    timesOf(clock, vop("I", 0, 0));
    clock.reset();
    expect(timesOf(clock, vop("B", 0, 9), vop("P", 0, 1), vop("B", 1, 0))).toEqual([9, 11, 10]);
  });

  it("is set by time codes once they have gone along with it", () => {
    const clock = createVopClock();
    timesOf(clock, vop("I", 0, 0, 100), vop("P", 0, 9), vop("I", 0, 5, 101));
    clock.reset();
    expect(timesOf(clock, vop("I", 0, 3, 160))).toEqual([603]);
    expect(clock.isAbsolute).toBe(true);
  });

  it("leaves time codes alone that stand still", () => {
    const clock = createVopClock();
    expect(timesOf(clock, vop("I", 0, 0, 7), vop("P", 1, 5), vop("P", 1, 0), vop("I", 0, 5, 7))).toEqual([
      0, 15, 20, 25,
    ]);
    clock.reset();
    timesOf(clock, vop("I", 0, 6, 7));
    expect(clock.isAbsolute).toBe(false);
  });
});

describe("groupSeconds", () => {
  it("reads hours, minutes and seconds", () => {
    const code = (1 << 19) | (2 << 13) | (1 << 12) | (3 << 6);
    const bytes = Uint8Array.of(0, 0, 1, 0xb3, code >>> 16, (code >>> 8) & 255, code & 255);
    expect(groupSeconds(bytes, 0)).toBe(3723);
  });
});
