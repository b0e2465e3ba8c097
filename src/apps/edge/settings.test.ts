import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { loadConfig } from "../../base/config.ts";
import { resolveEdgeSettings } from "./settings.ts";

describe("resolveEdgeSettings", () => {
  it("gives none where nobody names a folder; the command line goes before the environment", () => {
    expect(resolveEdgeSettings(loadConfig({}), undefined)).toBeUndefined();
    const config = loadConfig({ HOST_SMB_ROOT: "/mnt/share" });
    expect(resolveEdgeSettings(config, undefined)).toMatchObject({ rootFolder: "/mnt/share", makesRoot: false });
    expect(resolveEdgeSettings(config, "here")).toMatchObject({ rootFolder: resolve("here"), makesRoot: true });
  });

  it("keeps the originals beside ready/", () => {
    const config = loadConfig({ READY_DIR: "in/ready", EXPORT_DIR: "/elsewhere" });
    expect(resolveEdgeSettings(config, "/w")).toMatchObject({
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
    expect(() => resolveEdgeSettings(loadConfig(environment), "/w")).toThrow(
      expect.objectContaining({ code: "CONFIG_INVALID" }),
    );
  });
});
