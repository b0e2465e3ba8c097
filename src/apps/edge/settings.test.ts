import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { loadConfig } from "../../base/config.ts";
import { resolveEdgeSettings } from "./settings.ts";

describe("resolveEdgeSettings", () => {
  it("takes a relative root from the working folder", () => {
    expect(resolveEdgeSettings(loadConfig({}), "here", true)).toMatchObject({
      rootFolder: resolve("here"),
      makesRoot: true,
    });
  });

  it("keeps the originals beside ready/", () => {
    const config = loadConfig({ READY_DIR: "in/ready", EXPORT_DIR: "/elsewhere" });
    expect(resolveEdgeSettings(config, "/w", true)).toMatchObject({
      readyFolder: join("/w", "in", "ready"),
      originalsFolder: join("/w", "in", "originals"),
      exportFolder: "/elsewhere",
      quarantineFolder: join("/w", "quarantine"),
    });
  });

  it.each([
    [{ EXPORT_DIR: "ready" }],
    [{ EXPORT_DIR: "ready/export" }],
    [{ QUARANTINE_DIR: "export/." }],
    [{ EXPORT_DIR: "originals" }],
    [{ READY_DIR: "." }],
  ])("refuses folders that lie in each other: %j", (environment) => {
    expect(() => resolveEdgeSettings(loadConfig(environment), "/w", true)).toThrow(
      expect.objectContaining({ code: "CONFIG_INVALID" }),
    );
  });
});
