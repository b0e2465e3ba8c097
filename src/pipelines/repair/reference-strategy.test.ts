import { describe, expect, it } from "vitest";
import { chooseByStrategy } from "./reference-strategy.ts";

const CANDIDATES = [
  { path: "c", bytes: 30, modifiedAtMs: 3, signature: "x" },
  { path: "a", bytes: 10, modifiedAtMs: 1, signature: "x" },
  { path: "b", bytes: 20, modifiedAtMs: 2, signature: "y" },
];

describe("chooseByStrategy", () => {
  it.each([
    ["smallest", ["a", "b"]],
    ["newest", ["c", "b"]],
  ] as const)("takes the %s of each configuration, the best first", (strategy, names) => {
    expect(chooseByStrategy(CANDIDATES, strategy).map(({ path }) => path)).toEqual(names);
  });
});
