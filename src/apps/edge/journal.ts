import { open, readFile, rename, rm } from "node:fs/promises";
import { z } from "zod";
import { ERROR_CODES, type ErrorCode, ReelmillError } from "../../base/errors.ts";
import type { Json } from "../../base/json.ts";
import type { Claim } from "./claims.ts";
import { unlessMissing } from "./system-errors.ts";

const ERROR_NAMES = Object.keys(ERROR_CODES) as ErrorCode[];

const SIGHTING = z.strictObject({ bytes: z.number(), modifiedAtMs: z.number(), inode: z.number() });

const JOURNAL = z.strictObject({
  name: z.string(),
  /** The file in ready/ as it was when work on it began. */
  source: SIGHTING,
  /** `export`: the repaired file is about to get its name; `settle`: the original is about to leave ready/. */
  phase: z.enum(["export", "settle"]),
  /** Where the original goes. */
  destination: z.enum(["originals", "quarantine"]),
  /** What is about to get a name, and the name. */
  staged: z.strictObject({ finalName: z.string(), bytes: z.number(), modifiedAtMs: z.number() }),
  report: z.strictObject({
    schema: z.literal(1),
    file: z.string(),
    bytes: z.number(),
    at: z.string(),
    references: z.array(z.string()),
    jobId: z.string().nullable(),
    outcome: z.enum(["repaired", "failed"]),
    repairedBy: z.enum(["here", "cloud"]).nullable(),
    exportedAs: z.string().nullable(),
    error: z.strictObject({ code: z.enum(ERROR_NAMES), message: z.string() }).nullable(),
    cloud: z.unknown(),
    report: z.unknown(),
  }),
});

/** What is kept beside an original: what was found in it and what became of it. */
export interface CaseReport {
  readonly schema: 1;
  /** Its name in ready/. */
  readonly file: string;
  readonly bytes: number;
  /** RFC 3339, UTC. */
  readonly at: string;
  /** Names of the healthy recordings that were offered. */
  readonly references: readonly string[];
  readonly jobId: string | null;
  readonly outcome: "repaired" | "failed";
  /** Null where nobody could. */
  readonly repairedBy: "here" | "cloud" | null;
  /** The repaired file's name in export/. */
  readonly exportedAs: string | null;
  /** Why it could not be repaired here. */
  readonly error: { readonly code: ErrorCode; readonly message: string } | null;
  /** What the batch API did; null where it was not asked. */
  readonly cloud: Json;
  /** What the repair service found, did and checked. */
  readonly report: Json;
}

/** What is about to be done under a claim; whoever takes the claim over brings it to its end. */
export interface Journal extends Omit<z.infer<typeof JOURNAL>, "report"> {
  readonly report: CaseReport;
}

/** Reads a claim's journal; undefined where nothing was under way. Throws INTERNAL where it cannot be understood. */
export async function readJournal(claim: Claim): Promise<Journal | undefined> {
  const text = await unlessMissing(readFile(claim.journalPath, "utf8"), undefined);
  if (text === undefined) return undefined;
  try {
    const journal = JOURNAL.parse(JSON.parse(text));
    return { ...journal, report: journal.report as CaseReport };
  } catch (error) {
    throw new ReelmillError("INTERNAL", `The journal ${claim.journalPath} cannot be understood.`, { cause: error });
  }
}

/** Replaces a claim's journal as a whole, on the disk before this returns. */
export async function writeJournal(claim: Claim, journal: Journal): Promise<void> {
  await writeWhole(claim.journalPath, `${claim.journalPath}.${claim.token}`, JSON.stringify(journal));
}

/** To be called before the claim is given back. */
export async function removeJournal(claim: Claim): Promise<void> {
  await rm(claim.journalPath, { force: true });
}

/** Writes a file by way of a draft, so that it is never seen half written. */
export async function writeWhole(path: string, draft: string, text: string): Promise<void> {
  const file = await open(draft, "w");
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(draft, path);
}
