import {
  appendFileSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { loadConfig } from "../../base/config.ts";
import { type Claim, type ClaimKeeper, createClaimKeeper } from "./claims.ts";
import { type CaseReport, type Journal, writeJournal } from "./journal.ts";
import { sightFile } from "./listing.ts";
import { type EdgeSettings, resolveEdgeSettings } from "./settings.ts";
import { type Case, exportCase, recoverCase, settleCase } from "./settle.ts";

const REPORT: CaseReport = {
  schema: 1,
  file: "a.mp4",
  bytes: 8,
  at: "2026-01-01T00:00:00.000Z",
  references: [],
  jobId: null,
  outcome: "repaired",
  repairedBy: "here",
  exportedAs: null,
  error: null,
  cloud: null,
  report: null,
};

let root: string;
let settings: EdgeSettings;
let keeper: ClaimKeeper;
let claim: Claim;
let work: Case;

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), "reelmill-settle-"));
  settings = resolveEdgeSettings(loadConfig({}), root, true);
  for (const name of [...FOLDERS, ".reelmill-claims"]) mkdirSync(join(root, name));
  writeFileSync(at("ready/a.mp4"), "original");
  writeFileSync(at("export/work"), "repaired");
  keeper = createClaimKeeper({ folder: settings.claimsFolder, leaseMs: 10_000, monotonicMs: () => 0 });
  const got = await keeper.acquire("a.mp4");
  if ("heldBy" in got) throw new Error("Nobody else is there.");
  claim = got;
  const source = await sightFile(at("ready/a.mp4"));
  if (source === undefined) throw new Error("It was just written.");
  work = { claim, settings, source, signal: new AbortController().signal };
});
afterEach(() => {
  keeper.stop();
  rmSync(root, { recursive: true, force: true });
});

function at(path: string): string {
  return join(root, path);
}

const FOLDERS = ["ready", "export", "originals", "quarantine"] as const;

function list(): Readonly<Record<(typeof FOLDERS)[number], readonly string[]>> {
  const [ready = [], exported = [], originals = [], quarantine = []] = FOLDERS.map((name) =>
    readdirSync(at(name)).sort(),
  );
  return { ready, export: exported, originals, quarantine };
}

const EXPORTED = {
  ready: [],
  export: ["a.mp4", "work"],
  originals: ["a.mp4", "a.mp4.report.json"],
  quarantine: [],
};

async function journal(change: Pick<Journal, "phase" | "destination"> & { readonly staged: string }): Promise<void> {
  const { size, mtimeMs } = statSync(at(change.staged));
  const staged = { finalName: "a.mp4", bytes: size, modifiedAtMs: mtimeMs };
  await writeJournal(claim, { ...change, name: "a.mp4", source: work.source, staged, report: REPORT });
}

describe("a case that was broken off", () => {
  it("before the repaired file got its name is begun anew", async () => {
    await journal({ phase: "export", destination: "originals", staged: "export/work" });
    expect(await recoverCase(claim, settings, work.signal)).toBeUndefined();
    expect(list()).toMatchObject({ ready: ["a.mp4"], export: ["work"], originals: [] });
    expect(readdirSync(settings.claimsFolder)).toHaveLength(1);
  });

  it("after that goes on with the original, and nothing is exported twice", async () => {
    await journal({ phase: "export", destination: "originals", staged: "export/work" });
    linkSync(at("export/work"), at("export/a.mp4"));
    expect(await recoverCase(claim, settings, work.signal)).toMatchObject({ kind: "exported", exportedAs: "a.mp4" });
    expect(list()).toEqual(EXPORTED);
    expect(readFileSync(at("originals/a.mp4"), "utf8")).toBe("original");
  });

  it("is not taken for exported where another file has the name", async () => {
    await journal({ phase: "export", destination: "originals", staged: "export/work" });
    writeFileSync(at("export/a.mp4"), "somebody else's");
    expect(await recoverCase(claim, settings, work.signal)).toBeUndefined();
    expect(list().ready).toEqual(["a.mp4"]);
  });

  it("while the original was moved is brought to its end", async () => {
    await journal({ phase: "settle", destination: "originals", staged: "ready/a.mp4" });
    writeFileSync(at("export/a.mp4"), "repaired");
    linkSync(at("ready/a.mp4"), at("originals/a.mp4"));
    expect(await recoverCase(claim, settings, work.signal)).toMatchObject({ kind: "exported" });
    expect(list()).toEqual(EXPORTED);
  });

  it("after the original was gone still gets its report", async () => {
    await journal({ phase: "settle", destination: "quarantine", staged: "ready/a.mp4" });
    linkSync(at("ready/a.mp4"), at("quarantine/a.mp4"));
    rmSync(at("ready/a.mp4"));
    expect(await recoverCase(claim, settings, work.signal)).toMatchObject({ kind: "quarantined" });
    expect(list()).toMatchObject({ ready: [], quarantine: ["a.mp4", "a.mp4.report.json"] });
  });

  it("leaves a new file of the same name in ready/ alone", async () => {
    await journal({ phase: "settle", destination: "originals", staged: "ready/a.mp4" });
    linkSync(at("ready/a.mp4"), at("originals/a.mp4"));
    rmSync(at("ready/a.mp4"));
    writeFileSync(at("ready/a.mp4"), "another one");
    await recoverCase(claim, settings, work.signal);
    expect(readFileSync(at("ready/a.mp4"), "utf8")).toBe("another one");
  });

  it("whose journal cannot be understood says so and touches nothing", async () => {
    writeFileSync(claim.journalPath, '{"phase":"export"');
    await expect(recoverCase(claim, settings, work.signal)).rejects.toMatchObject({ code: "INTERNAL" });
    expect(list().ready).toEqual(["a.mp4"]);
  });
});

describe("exporting", () => {
  it("takes an equal file of the name for the same, and adds a number to another one", async () => {
    writeFileSync(at("export/a.mp4"), "repaired");
    expect(await exportCase(work, at("export/work"), REPORT)).toMatchObject({ exportedAs: "a.mp4" });
    expect(list()).toEqual(EXPORTED);
  });

  it("stops where the file was changed or the claim lost meanwhile", async () => {
    appendFileSync(at("ready/a.mp4"), "!");
    await expect(exportCase(work, at("export/work"), REPORT)).rejects.toMatchObject({ code: "ABORTED" });
    expect(list()).toMatchObject({ ready: ["a.mp4"], export: ["work"] });
  });

  it("stops where the claim was lost", async () => {
    await claim.release();
    await expect(exportCase(work, at("export/work"), REPORT)).rejects.toMatchObject({ code: "ABORTED" });
    await expect(settleCase(work, "quarantine", REPORT)).rejects.toMatchObject({ code: "ABORTED" });
    expect(list()).toMatchObject({ ready: ["a.mp4"], quarantine: [] });
  });

  it("shortens a name that leaves no room for a number and the report's", async () => {
    const name = `${"ü".repeat(125)}.mp4`;
    const long = await keeper.acquire(name);
    if ("heldBy" in long) throw new Error("Nobody else is there.");
    writeFileSync(at(`ready/${name}`), "long");
    const source = (await sightFile(at(`ready/${name}`))) ?? work.source;
    await exportCase({ ...work, claim: long, source }, at("export/work"), REPORT);
    expect(list().export).toContain(name);
    expect(list().originals.map((entry) => entry.slice(-11))).toEqual([
      expect.stringMatching(/ü\.mp4$/),
      "report.json",
    ]);
  });
});
