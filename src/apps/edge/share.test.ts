import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { loadConfig } from "../../base/config.ts";
import { type EdgeSettings, resolveEdgeSettings } from "./settings.ts";
import { createShare } from "./share.ts";

let folder: string;
let root: string;
let settings: EdgeSettings;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "reelmill-share-"));
  root = join(folder, "share");
  settings = resolveEdgeSettings(loadConfig({}), root, true);
});
afterEach(() => rmSync(folder, { recursive: true }));

/** The settings of a share that goes away when its folders are looked at for the `turn`th time, having been seen as it should be just before. */
function goingAt(turn: number, go: () => void): EdgeSettings {
  let turns = 0;
  const { claimsFolder, ...others } = settings;
  return {
    ...others,
    get claimsFolder() {
      turns++;
      if (turns === turn) go();
      return claimsFolder;
    },
  };
}

describe("a share", () => {
  it("is made, with its folders", async () => {
    expect(await createShare(settings, undefined).probe()).toBeUndefined();
    const folders = [".reelmill-claims", ".reelmill-watch", "export", "originals", "quarantine", "ready"];
    expect(readdirSync(root).sort()).toEqual(folders);
  });

  it("gets a folder again that was deleted", async () => {
    const share = createShare(settings, undefined);
    await share.probe();
    rmSync(join(root, "export"), { recursive: true });
    expect(await share.probe()).toBeUndefined();
    expect(existsSync(join(root, "export"))).toBe(true);
  });

  it("that goes away while it is looked at is not made anew", async () => {
    const share = createShare(
      goingAt(2, () => renameSync(root, `${root}-away`)),
      undefined,
    );
    expect(await share.probe()).toBeUndefined();
    expect(await share.probe()).toBe(`${root} does not exist: is the share mounted?`);
    expect(existsSync(root)).toBe(false);
    renameSync(`${root}-away`, root);
    expect(await share.probe()).toBeUndefined();
  });

  it("that leaves an empty mount point while it is looked at leaves it empty", async () => {
    const share = createShare(
      goingAt(2, () => {
        renameSync(root, `${root}-away`);
        mkdirSync(root);
      }),
      undefined,
    );
    expect(await share.probe()).toBeUndefined();
    expect(await share.probe()).toContain("nothing of what was in it: is the share mounted?");
    expect(readdirSync(root)).toEqual([]);
    expect(await share.probe()).toContain("is the share mounted?");
  });

  it("with a file where a folder should be tells of it", async () => {
    mkdirSync(root);
    writeFileSync(join(root, "export"), "");
    expect(await createShare(settings, undefined).probe()).toMatch(/cannot be used: .*EEXIST/);
  });
});
