import { expect, it } from "vitest";
import { createOverallProgress } from "./overall-progress.ts";

it.each(["none", "quick", "full"] as const)("rises from phase to phase, up to the end (%s)", (verify) => {
  const heard: number[] = [];
  const tell = createOverallProgress(verify, (fraction) => heard.push(fraction));
  for (const phase of ["reading", "writing", "checking"]) for (const fraction of [0, 0.5, 1, 7]) tell(fraction, phase);
  expect(heard).toEqual([...heard].sort((a, b) => a - b));
  expect([heard[0], heard.at(-1)]).toEqual([0, 1]);
});

it("leaves most of the way to a check of every picture", () => {
  const heard: number[] = [];
  const tell = createOverallProgress("full", (fraction) => heard.push(fraction));
  tell(0, "checking");
  tell(0.5, "checking");
  expect(heard).toEqual([0.25, 0.625]);
});
