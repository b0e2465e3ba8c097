import { expect, it } from "vitest";
import { createFakeClock } from "../../test/support/fake-clock.ts";
import { createFaultLog } from "./fault-log.ts";
import { createLogger } from "./log.ts";

it("tells the first failure, then one a minute, and the end", () => {
  const lines: string[] = [];
  const log = createLogger({ format: "json", level: "info", write: (line) => lines.push(line) });
  const clock = createFakeClock();
  const faults = createFaultLog({ log, clock, level: "warn", message: "It fails.", over: "It works again." });
  faults.worked();
  for (let second = 0; second < 150; second++) {
    faults.failed(new Error("The disk is full."));
    clock.advance(1000);
  }
  faults.worked();
  faults.worked();
  faults.failed(new Error("The disk is full."));
  const told = lines.map((line) => {
    const { level, message, failures, error } = JSON.parse(line) as Record<string, unknown>;
    return [level, message, failures, error === undefined];
  });
  expect(told).toEqual([
    ["warn", "It fails.", undefined, false],
    ["warn", "It fails.", 61, false],
    ["warn", "It fails.", 121, false],
    ["info", "It works again.", 150, true],
    ["warn", "It fails.", undefined, false],
  ]);
});
