import { lstat, rm } from "node:fs/promises";
import { join } from "node:path";
import { ReelmillError } from "../../base/errors.ts";
import { numberedName } from "../../base/fitting-name.ts";
import { printableJson } from "../../base/printable.ts";
import type { Claim } from "./claims.ts";
import { type CaseReport, type Journal, readJournal, removeJournal, writeJournal, writeWhole } from "./journal.ts";
import { sightFile } from "./listing.ts";
import { partNameOf, publishFile, type Staged } from "./publish.ts";
import type { EdgeSettings } from "./settings.ts";
import { isUnchanged, type Sighting } from "./stability.ts";
import { unlessMissing } from "./system-errors.ts";

/** A file in ready/ that is worked on under a claim. */
export interface Case {
  readonly claim: Claim;
  readonly settings: EdgeSettings;
  /** As it was when work on it began. */
  readonly source: Sighting;
  readonly signal: AbortSignal;
}

export type { CaseReport };

/** What became of a file that left ready/. */
export type SettledOutcome =
  | { readonly kind: "exported"; readonly exportedAs: string; readonly repairedBy: CaseReport["repairedBy"] }
  | { readonly kind: "quarantined"; readonly quarantinedAs: string; readonly error: CaseReport["error"] };

type Destination = Journal["destination"];

const REPORT_SUFFIX = ".report.json";

function readyPathOf({ settings, claim }: Pick<Case, "settings" | "claim">): string {
  return join(settings.readyFolder, claim.name);
}

function folderOf(settings: EdgeSettings, destination: Destination): string {
  return destination === "originals" ? settings.originalsFolder : settings.quarantineFolder;
}

/** Throws ABORTED where the claim was lost, and where the file is not any more what was worked on. */
export async function requireOurs({ claim, settings, source }: Case): Promise<void> {
  if (!(await claim.isHeld())) {
    throw new ReelmillError("ABORTED", `${claim.name} has been taken over by another service.`);
  }
  const now = await sightFile(readyPathOf({ settings, claim }));
  if (now === undefined || !isUnchanged(now, source)) {
    throw new ReelmillError("ABORTED", `${claim.name} was changed or taken away while it was worked on.`);
  }
}

/**
 * Puts a repaired file into export/, then takes the original out of ready/. Throws what `publishFile` throws; where it was
 * killed in between, `recoverCase` goes on.
 */
export async function exportCase(work: Case, output: string, report: CaseReport): Promise<SettledOutcome> {
  const { claim, settings, source, signal } = work;
  await requireOurs(work);
  const name = await publishFile({
    source: output,
    folder: settings.exportFolder,
    name: claim.name,
    token: claim.token,
    acceptsSame: true,
    signal,
    onStaged: (staged) =>
      writeJournal(claim, { name: claim.name, source, phase: "export", destination: "originals", staged, report }),
  });
  return await settleCase(work, "originals", { ...report, exportedAs: name });
}

function outcomeOf(destination: Destination, finalName: string, report: CaseReport): SettledOutcome {
  const { exportedAs, repairedBy, error } = report;
  if (destination === "quarantine") return { kind: "quarantined", quarantinedAs: finalName, error };
  return { kind: "exported", exportedAs: exportedAs ?? finalName, repairedBy };
}

/** Moves the original out of ready/ to where it is kept, with its report beside it. Throws what `publishFile` throws. */
export async function settleCase(work: Case, destination: Destination, report: CaseReport): Promise<SettledOutcome> {
  const { claim, settings, source, signal } = work;
  const folder = folderOf(settings, destination);
  await requireOurs(work);
  const finalName = await publishFile({
    source: readyPathOf(work),
    folder,
    name: numberedName(claim.name, 1, REPORT_SUFFIX.length + 4),
    token: claim.token,
    acceptsSame: false,
    isFree: async (candidate) =>
      (await unlessMissing(lstat(join(folder, candidate + REPORT_SUFFIX)), undefined)) === undefined,
    signal,
    onStaged: (staged) =>
      writeJournal(claim, { name: claim.name, source, phase: "settle", destination, staged, report }),
  });
  await finishSettling(work, folder, finalName, report);
  return outcomeOf(destination, finalName, report);
}

async function finishSettling(work: Case, folder: string, finalName: string, report: CaseReport): Promise<void> {
  const path = join(folder, finalName + REPORT_SUFFIX);
  await writeWhole(path, join(folder, partNameOf(work.claim.token)), `${printableJson(report)}\n`);
  await rm(readyPathOf(work), { force: true });
  await removeJournal(work.claim);
}

/**
 * Brings to its end what the journal says was under way when the last holder of the claim was killed; undefined where
 * nothing had been published yet, so that the file is simply taken up again.
 */
export async function recoverCase(
  claim: Claim,
  settings: EdgeSettings,
  signal: AbortSignal,
): Promise<SettledOutcome | undefined> {
  const journal = await readJournal(claim);
  if (journal === undefined) return undefined;
  const work: Case = { claim: { ...claim, name: journal.name }, settings, source: journal.source, signal };
  const recovery = await (journal.phase === "export" ? recoverExport(work, journal) : recoverSettling(work, journal));
  await removeJournal(claim);
  return recovery;
}

async function recoverExport(work: Case, journal: Journal): Promise<SettledOutcome | undefined> {
  const { staged, report } = journal;
  if (!(await isThere(work.settings.exportFolder, staged)) || !(await hasSource(work))) return undefined;
  return await settleCase(work, "originals", { ...report, exportedAs: staged.finalName });
}

async function recoverSettling(work: Case, journal: Journal): Promise<SettledOutcome | undefined> {
  const { staged, report, destination } = journal;
  const folder = folderOf(work.settings, destination);
  if (await isThere(folder, staged)) {
    // A file of the same name that came into ready/ meanwhile is another one, and stays.
    if (await hasSource(work)) await finishSettling(work, folder, staged.finalName, report);
    else await writeMissingReport(work, folder, staged.finalName, report);
    return outcomeOf(destination, staged.finalName, report);
  }
  if (!(await hasSource(work))) return undefined;
  return await settleCase(work, destination, report);
}

async function writeMissingReport(work: Case, folder: string, finalName: string, report: CaseReport): Promise<void> {
  const path = join(folder, finalName + REPORT_SUFFIX);
  if ((await unlessMissing(lstat(path), undefined)) !== undefined) return;
  await writeWhole(path, join(folder, partNameOf(work.claim.token)), `${printableJson(report)}\n`);
}

async function hasSource(work: Case): Promise<boolean> {
  const now = await sightFile(readyPathOf(work));
  return now !== undefined && isUnchanged(now, work.source);
}

/** Whether the file got its name before the end came. Links and renames keep size and time. */
async function isThere(folder: string, { finalName, bytes, modifiedAtMs }: Staged): Promise<boolean> {
  const found = await sightFile(join(folder, finalName));
  return found !== undefined && found.bytes === bytes && found.modifiedAtMs === modifiedAtMs;
}
