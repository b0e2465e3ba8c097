import { posix } from "node:path";
import { ReelmillError } from "../../base/errors.ts";
import type { Logger } from "../../base/log.ts";
import { compareKeys } from "../../jobs/object-key.ts";
import type { ObjectInfo, ObjectStore } from "../../jobs/object-store.ts";
import { isRecordingName } from "./recording-name.ts";
import { costOf, type ReferenceStrategy } from "./reference-strategy.ts";

/** The most recordings that a batch may have. */
export const MAX_BATCH_FILES = 1000;
/** So many are looked at for a healthy one. */
const MAX_EXAMINED = 50;
/** So many of the references kept are offered to a file that the one chosen does not fit. */
const MAX_KEPT = 32;
const PAGE = 1000;

/** Which recordings a batch is of. */
export interface BatchQuestion {
  /** Of the store, without a slash at its end; what lies below it in folders counts, too. */
  readonly prefix: string;
  /** The reference that the client wants; undefined: one is chosen. */
  readonly referenceKey: string | undefined;
  readonly strategy: ReferenceStrategy;
  /** Where healthy recordings of all kinds are kept, without a slash at its end. */
  readonly keptPrefix: string;
}

/** What a choice is made with. */
export interface BatchSources {
  readonly objects: ObjectStore;
  /** The first of some that plays and may teach others; throws where a store is away, and ABORTED. */
  readonly findHealthy: (candidates: readonly ObjectInfo[], signal: AbortSignal) => Promise<ObjectInfo | undefined>;
  readonly signal: AbortSignal;
  /** Given, it ends the search for a reference alone: the batch is then one in which none plays. Undefined: it takes as long as it takes. */
  readonly patience?: AbortSignal | undefined;
  /** Hears of a search that was ended so. */
  readonly log: Logger;
}

/** What a batch comes to. */
export interface BatchSelection {
  /** Undefined where no recording below the prefix is known to play. */
  readonly reference: ObjectInfo | undefined;
  /** All others below the prefix by key, at least one. */
  readonly files: readonly ObjectInfo[];
  /** Keys of the references kept that may be tried where that one does not fit, in the order of the strategy. */
  readonly kept: readonly string[];
}

/**
 * Finds the recordings of a batch and its reference: the one wanted, else the smallest or newest that plays. Throws BATCH_EMPTY where
 * there is nothing to repair, REQUEST_INVALID for more than `MAX_BATCH_FILES` and for a reference that is not there, and what the
 * sources do.
 */
export async function selectBatch(question: BatchQuestion, sources: BatchSources): Promise<BatchSelection> {
  const { prefix, referenceKey, strategy, keptPrefix } = question;
  const { objects } = sources;
  const found = await listRecordings(objects, prefix, MAX_BATCH_FILES + 1);
  if (found.length > MAX_BATCH_FILES) {
    const message = `More than ${MAX_BATCH_FILES} recordings lie below ${prefix}/; submit them in several batches.`;
    throw new ReelmillError("REQUEST_INVALID", message);
  }
  const reference =
    referenceKey === undefined
      ? await searchReference(prefix, inOrder(found, strategy).slice(0, MAX_EXAMINED), sources)
      : await requireReference(objects, referenceKey);
  const files = found.filter(({ key }) => key !== reference?.key);
  if (files.length === 0) {
    const besides = reference === undefined ? "" : ` besides the reference ${reference.key}`;
    throw new ReelmillError("BATCH_EMPTY", `No recording to be repaired lies below ${prefix}/${besides}.`);
  }
  const kept = inOrder(await listRecordings(objects, keptPrefix, PAGE), strategy);
  return { reference, files, kept: kept.slice(0, MAX_KEPT).map(({ key }) => key) };
}

/** Up to `limit` recordings below a prefix, by key. */
async function listRecordings(objects: ObjectStore, prefix: string, limit: number): Promise<readonly ObjectInfo[]> {
  const found: ObjectInfo[] = [];
  let afterKey = "";
  for (;;) {
    const page = await objects.list(`${prefix}/`, { limit: PAGE, afterKey });
    found.push(...page.filter(({ key }) => isRecordingName(posix.basename(key))));
    const last = page.at(-1);
    if (last === undefined || page.length < PAGE || found.length >= limit) return found.slice(0, limit);
    afterKey = last.key;
  }
}

function inOrder(found: readonly ObjectInfo[], strategy: ReferenceStrategy): readonly ObjectInfo[] {
  return found.toSorted((a, b) => costOf(a, strategy) - costOf(b, strategy) || compareKeys(a.key, b.key));
}

/** The first that plays, as far as there is patience. */
async function searchReference(
  prefix: string,
  candidates: readonly ObjectInfo[],
  { findHealthy, signal, patience, log }: BatchSources,
): Promise<ObjectInfo | undefined> {
  if (patience === undefined) return await findHealthy(candidates, signal);
  let reference: ObjectInfo | undefined;
  try {
    reference = await findHealthy(candidates, AbortSignal.any([signal, patience]));
  } catch (error) {
    const isOutOfPatience = patience.aborted && !signal.aborted;
    if (!isOutOfPatience || !(error instanceof ReelmillError) || error.code !== "ABORTED") throw error;
  }
  // Whoever searches may take what was not read in the end for what does not play.
  if (reference === undefined && patience.aborted) {
    log.warn("The search for a reference took too long; the batch goes on without one.", {
      prefix,
      candidates: candidates.length,
    });
  }
  return reference;
}

async function requireReference(objects: ObjectStore, key: string): Promise<ObjectInfo> {
  const info = await objects.head(key);
  if (info === undefined)
    throw new ReelmillError("REQUEST_INVALID", `reference_key names no object: ${key} is not there.`);
  return info;
}
