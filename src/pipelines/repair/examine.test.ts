import { describe, expect, it } from "vitest";
import { ReelmillError } from "../../base/errors.ts";
import { findHealthy } from "./examine.ts";

/** Looks at names as if they were recordings. */
async function look(name: string) {
  if (name === "empty") throw new ReelmillError("INPUT_EMPTY", "It is empty.");
  if (name === "away") throw new ReelmillError("STORE_UNAVAILABLE", "It is away.");
  return {
    health: name.startsWith("good") ? ("healthy" as const) : ("damaged" as const),
    teaches: name !== "good.mkv",
  };
}

describe("findHealthy", () => {
  it("takes the first that plays and may teach others", async () => {
    expect(await findHealthy(["cut", "empty", "good.mkv", "good", "good too"], look)).toBe("good");
    expect(await findHealthy(["cut"], look)).toBeUndefined();
  });

  it("does not take a store that is away for a damaged file", async () => {
    await expect(findHealthy(["away", "good"], look)).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
  });
});
