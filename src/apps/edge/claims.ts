import { createHash, randomBytes } from "node:crypto";
import { type FileHandle, open, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { rootCodeOf } from "../../base/system-code.ts";
import { isMissing, unlessMissing } from "./system-errors.ts";

/** The right to work on one file, against all services that watch the same folder. */
export interface Claim {
  readonly name: string;
  /** Random; part of the name of everything that is half done under this claim. */
  readonly token: string;
  /** Of the journal that belongs to it, which outlives the claim's holder. */
  readonly journalPath: string;
  /** Aborted when the claim was lost. */
  readonly lost: AbortSignal;
  /** Looks whether it is still held. Throws where the share has gone. */
  isHeld(): Promise<boolean>;
  /** Throws where the share has gone; `takeAbandoned` finds the claim when it is there again. */
  release(): Promise<void>;
}

/** Claims files by lock files in a common folder. */
export interface ClaimKeeper {
  /** The claim, or who holds it. */
  acquire(name: string): Promise<Claim | { readonly heldBy: string }>;
  /** Claims whose holders are gone, this process's own forgotten ones included; they are now held here. */
  takeAbandoned(): Promise<readonly Claim[]>;
  /** Tokens of all claims that somebody holds. */
  liveTokens(): Promise<ReadonlySet<string>>;
  /** When to call `takeAbandoned` next, so that stale claims are found in time; undefined where others hold none. */
  nextLookMs(): number | undefined;
  /** Ends the heartbeat; claims that are held become stale. */
  stop(): void;
}

/** How claims are kept. */
export interface ClaimOptions {
  readonly folder: string;
  /** A lock that has not changed for so long, seen from here, is stale. */
  readonly leaseMs: number;
  readonly monotonicMs: () => number;
}

interface LockText {
  readonly name: string;
  readonly holder: string;
  readonly token: string;
}

interface Held {
  readonly path: string;
  readonly text: LockText;
  readonly losing: AbortController;
  /** Set once its work is over, though the lock could not be removed. */
  isForgotten: boolean;
}

const BEATS_PER_LEASE = 4;
const LOOKS_PER_LEASE = 2;
const LOCK_NAME = /^([0-9a-f]{32})\.lock$/;

/** Lock text is always as long as before, so that it can be written over in place. */
function formatLock(text: LockText, beat: number): string {
  return JSON.stringify({ ...text, beat: String(beat).padStart(12, "0") });
}

function parseLock(content: string): Partial<LockText> {
  try {
    const { name, holder, token } = JSON.parse(content) as Partial<Record<keyof LockText, unknown>>;
    if (typeof name !== "string" || typeof holder !== "string" || typeof token !== "string") return {};
    return { name, holder, token };
  } catch {
    // Its writer was cut off; it becomes stale like any other.
    return {};
  }
}

function keyOf(name: string): string {
  return createHash("sha256").update(name).digest("hex").slice(0, 32);
}

/** What was seen of a file and for how long. */
interface Age {
  readonly state: string;
  readonly seenAtMs: number;
  readonly ageMs: number;
}

/**
 * Remembers for how long files have been as they are, by the own clock: those of other machines may say anything. Between two
 * looks at most `maxGapMs` counts, so that a machine that slept, and the holders on it, get the time to show a sign of life.
 */
function createAgeWatch(monotonicMs: () => number, maxGapMs: number) {
  const seen = new Map<string, Age>();
  return {
    /** Undefined where the file is not there. */
    ageOf: async (path: string): Promise<{ readonly content: string; readonly ageMs: number } | undefined> => {
      const content = await unlessMissing(readFile(path, "utf8"), undefined);
      const stats = await unlessMissing(stat(path), undefined);
      if (content === undefined || stats === undefined) {
        seen.delete(path);
        return undefined;
      }
      const state = `${stats.mtimeMs} ${content}`;
      const before = seen.get(path);
      const seenAtMs = monotonicMs();
      const ageMs = before?.state === state ? before.ageMs + Math.min(seenAtMs - before.seenAtMs, maxGapMs) : 0;
      seen.set(path, { state, seenAtMs, ageMs });
      return { content, ageMs };
    },
    forget: (path: string): void => {
      seen.delete(path);
    },
    keepOnly: (paths: ReadonlySet<string>): void => {
      for (const path of seen.keys()) if (!paths.has(path)) seen.delete(path);
    },
    /** Whether there are files whose age is watched. */
    isBusy: (): boolean => seen.size > 0,
  };
}

/** Makes a file that must not be there yet; false where it is. */
async function createNew(path: string, content: string): Promise<boolean> {
  try {
    await writeFile(path, content, { flag: "wx" });
    return true;
  } catch (error) {
    if (rootCodeOf(error) === "EEXIST") return false;
    throw error;
  }
}

/** Writes a sign of life into a lock that is still ours; false where it is not. Goes by the open file, so that a successor's lock is never written to. */
async function beatInto(path: string, text: LockText, beat: number): Promise<boolean> {
  let file: FileHandle;
  try {
    file = await open(path, "r+");
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
  try {
    if (parseLock(await file.readFile("utf8")).token !== text.token) return false;
    await file.write(formatLock(text, beat), 0);
    return true;
  } finally {
    await file.close();
  }
}

/** What a keeper knows. */
interface Keeper extends ClaimOptions {
  /** This service, for others and for people. */
  readonly holder: string;
  /** By key. */
  readonly held: Map<string, Held>;
  readonly ages: ReturnType<typeof createAgeWatch>;
  beat: number;
}

/** Starts to keep claims; the heartbeat goes on until `stop`. */
export function createClaimKeeper(options: ClaimOptions): ClaimKeeper {
  const keeper: Keeper = {
    ...options,
    holder: `${hostname()}:${process.pid}:${randomBytes(6).toString("hex")}`,
    held: new Map(),
    ages: createAgeWatch(options.monotonicMs, options.leaseMs / LOOKS_PER_LEASE),
    beat: 0,
  };
  let beating: Promise<void> | undefined;
  const timer = setInterval(() => {
    if (beating !== undefined) return;
    beating = heartbeat(keeper).finally(() => {
      beating = undefined;
    });
  }, options.leaseMs / BEATS_PER_LEASE);
  timer.unref();
  return {
    acquire: (name) => claim(keeper, keyOf(name), name),
    takeAbandoned: () => takeAbandoned(keeper),
    liveTokens: () => listTokens(keeper.folder),
    nextLookMs: () => (keeper.ages.isBusy() ? options.leaseMs / LOOKS_PER_LEASE : undefined),
    stop: () => clearInterval(timer),
  };
}

/** Gives a sign of life for every claim held. Never throws. */
async function heartbeat(keeper: Keeper): Promise<void> {
  const { held, folder } = keeper;
  keeper.beat += 1;
  for (const [key, lock] of held) {
    // A share that does not answer is no proof of loss; what is published is checked once more before.
    const isOurs = await beatInto(lock.path, lock.text, keeper.beat).catch(() => true);
    if (isOurs || held.get(key) !== lock) continue;
    // Where the whole folder is gone, so is the share.
    if ((await stat(folder).catch(() => undefined)) === undefined) continue;
    held.delete(key);
    lock.losing.abort();
  }
}

function hold({ held, folder }: Keeper, key: string, path: string, text: LockText): Claim {
  const lock: Held = { path, text, losing: new AbortController(), isForgotten: false };
  held.set(key, lock);
  const isHeld = async (): Promise<boolean> => {
    const content = await unlessMissing(readFile(path, "utf8"), "");
    return held.get(key) === lock && parseLock(content).token === text.token;
  };
  return {
    name: text.name,
    token: text.token,
    journalPath: join(folder, `${key}.journal`),
    lost: lock.losing.signal,
    isHeld,
    release: async () => {
      lock.isForgotten = true;
      // Where the folder cannot be seen, neither can the lock: it is given back when the share is there again.
      await stat(folder);
      if (await isHeld()) await rm(path, { force: true });
      if (held.get(key) === lock) held.delete(key);
    },
  };
}

/** Claims a key, by force where its lock is stale. The name is empty where a writer was cut off. */
async function claim(keeper: Keeper, key: string, name: string): Promise<Claim | { readonly heldBy: string }> {
  const { folder, held, holder, ages, leaseMs, beat } = keeper;
  const path = join(folder, `${key}.lock`);
  const own = held.get(key);
  if (own !== undefined && !own.isForgotten) return { heldBy: holder };
  const text = { name, holder, token: randomBytes(12).toString("hex") };
  if (await createNew(path, formatLock(text, beat))) return hold(keeper, key, path, text);
  const found = await ages.ageOf(path);
  if (found === undefined) return { heldBy: "" };
  const heldBy = parseLock(found.content).holder ?? "";
  const isStale = found.ageMs >= leaseMs || (own !== undefined && heldBy === holder);
  if (!isStale || !(await replaceLock(keeper, path, found.content, text))) return { heldBy };
  ages.forget(path);
  return hold(keeper, key, path, text);
}

/** Puts a lock in the place of a stale one. Only one service at a time gets through, and only if nothing changed. */
async function replaceLock(keeper: Keeper, path: string, expected: string, text: LockText): Promise<boolean> {
  const { ages, leaseMs, beat } = keeper;
  const gate = `${path}.takeover`;
  if (!(await createNew(gate, text.token))) {
    const blocked = await ages.ageOf(gate);
    // Its maker was killed on the threshold; the next try finds it open.
    if (blocked !== undefined && blocked.ageMs >= leaseMs) await rm(gate, { force: true });
    return false;
  }
  try {
    if ((await unlessMissing(readFile(path, "utf8"), undefined)) !== expected) return false;
    const draft = `${path}.${text.token}`;
    await writeFile(draft, formatLock(text, beat), { flag: "wx" });
    await rename(draft, path);
    return true;
  } finally {
    await rm(gate, { force: true });
  }
}

async function takeAbandoned(keeper: Keeper): Promise<readonly Claim[]> {
  const { folder, held, ages, leaseMs } = keeper;
  const taken: Claim[] = [];
  const entries = await readdir(folder);
  ages.keepOnly(new Set(entries.map((entry) => join(folder, entry))));
  for (const entry of entries) {
    const key = LOCK_NAME.exec(entry)?.[1];
    const path = join(folder, entry);
    if (key === undefined) {
      await removeDebris(path, entry, ages, leaseMs);
      continue;
    }
    const own = held.get(key);
    if (own !== undefined && !own.isForgotten) continue;
    const found = await ages.ageOf(path);
    if (found === undefined || (found.ageMs < leaseMs && own === undefined)) continue;
    const got = await claim(keeper, key, parseLock(found.content).name ?? "");
    if ("token" in got) taken.push(got);
  }
  return taken;
}

async function listTokens(folder: string): Promise<ReadonlySet<string>> {
  const tokens = new Set<string>();
  for (const entry of (await readdir(folder)).filter((name) => LOCK_NAME.test(name))) {
    const { token } = parseLock(await unlessMissing(readFile(join(folder, entry), "utf8"), ""));
    if (token !== undefined) tokens.add(token);
  }
  return tokens;
}

/** Drafts and gates whose makers were killed; journals belong to their locks and go with them. */
async function removeDebris(
  path: string,
  entry: string,
  ages: ReturnType<typeof createAgeWatch>,
  leaseMs: number,
): Promise<void> {
  if (entry.endsWith(".journal") || !/^[0-9a-f]{32}\./.test(entry)) return;
  const found = await ages.ageOf(path);
  if (found !== undefined && found.ageMs >= leaseMs) await rm(path, { force: true });
}
