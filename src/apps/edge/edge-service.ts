import { watch } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import type { Clock } from "../../base/clock.ts";
import { ReelmillError } from "../../base/errors.ts";
import type { Logger } from "../../base/log.ts";
import { chooseByStrategy, type Examination, type ReferenceCandidate } from "../../pipelines/repair/index.ts";
import { type ClaimKeeper, createClaimKeeper } from "./claims.ts";
import type { EdgeCounters, EdgeHealth, EdgeStats, EdgeStatus, FileState } from "./edge-status.ts";
import { createFileBook, type FileBook, type FileEntry } from "./file-entry.ts";
import { isWatchedName, listRecordings, sightFile } from "./listing.ts";
import { type FileOutcome, type ProcessContext, processFile, recoverAbandoned } from "./process-file.ts";
import type { RepairService } from "./repair-service.ts";
import type { EdgeSettings } from "./settings.ts";
import { createShare, type Share } from "./share.ts";
import { createStabilityTracker, type StabilityTracker } from "./stability.ts";
import { sweepFolders } from "./sweep.ts";
import { isShareGone, messageOf } from "./system-errors.ts";

/** What a watch folder needs from outside. */
export interface EdgeServiceOptions {
  readonly settings: EdgeSettings;
  readonly repair: RepairService;
  /** Asked where `repair` fails; undefined: nobody is. */
  readonly cloud?: RepairService | undefined;
  /** Tells healthy files from damaged ones; may throw as `openFileSource`. */
  readonly examine: (path: string, signal: AbortSignal) => Promise<Examination>;
  readonly clock: Clock;
  readonly log: Logger;
  /** Remembers, off the share, which shares have been seen; see `createShare`. */
  readonly memoryFile?: string | undefined;
  /** Hears that the status may have changed; often. */
  readonly onChange?: (() => void) | undefined;
}

/** A watch folder. */
export interface EdgeService {
  /** Begins to look, and goes on until `stop`. */
  start(): void;
  /** Ends all work; files being repaired stay where they are. */
  stop(): Promise<void>;
  /** Looks now; gives the status after that. Repairs go on behind it. */
  scanNow(): Promise<EdgeStatus>;
  /**
   * Has one file of ready/ repaired, without waiting for it to be at rest. Throws PARAMS_INVALID for a name that cannot be in
   * ready/, INPUT_NOT_FOUND, JOB_STATE where it is in hand already, STORE_UNAVAILABLE while paused.
   */
  repairNow(name: string): Promise<void>;
  /** Ends when no repair is under way. */
  settled(): Promise<void>;
  status(): EdgeStatus;
  stats(): EdgeStats;
  health(): EdgeHealth;
}

/** What changes while the service runs. */
interface State {
  isRunning: boolean;
  /** Empty: not paused. */
  pauseReason: string;
  currentReference: string | null;
  lastScanAtMs: number | null;
  readonly counters: { -readonly [Name in keyof EdgeCounters]: number };
}

/** Everything that the steps of the service share. */
interface Room {
  readonly options: EdgeServiceOptions;
  readonly context: ProcessContext;
  readonly state: State;
  readonly book: FileBook;
  readonly share: Share;
  readonly claims: ClaimKeeper;
  readonly tracker: StabilityTracker;
  readonly stopping: AbortController;
  readonly active: Map<FileEntry, Promise<void>>;
  /** Asks for a scan soon. */
  readonly wake: () => void;
}

const MAX_BACK_OFF_MS = 600_000;
const FIRST_PAUSE_MS = 1000;
/** A copy raises many events. */
const HINT_DELAY_MS = 500;

/** Creates a watch folder that does nothing until it is started, or asked to scan. */
export function createEdgeService(options: EdgeServiceOptions): EdgeService {
  const { settings, clock } = options;
  const monotonicMs = (): number => clock.monotonicMs();
  const claims = createClaimKeeper({ folder: settings.claimsFolder, leaseMs: settings.leaseMs, monotonicMs });
  const alarm = createAlarm();
  const room: Room = {
    options,
    context: { ...options, cloud: options.cloud, claims },
    state: {
      isRunning: false,
      pauseReason: "",
      currentReference: null,
      lastScanAtMs: null,
      counters: { scans: 0, exported: 0, exportedByCloud: 0, quarantined: 0, putOff: 0, pauses: 0 },
    },
    book: createFileBook(clock),
    share: createShare(settings, options.memoryFile),
    claims,
    tracker: createStabilityTracker(settings.minFileAgeMs, monotonicMs),
    stopping: new AbortController(),
    active: new Map(),
    wake: alarm.ring,
  };
  let loop: Promise<void> | undefined;
  const scan = createSingleFile(() => scanOnce(room));
  return {
    start: () => {
      room.state.isRunning = true;
      loop ??= run(room, scan, alarm);
    },
    stop: async () => {
      room.stopping.abort();
      room.state.isRunning = false;
      alarm.ring();
      await loop;
      await Promise.all(room.active.values());
      claims.stop();
    },
    scanNow: async () => {
      await scan();
      return statusOf(room);
    },
    repairNow: (name) => repairNow(room, name),
    settled: async () => {
      while (room.active.size > 0) await Promise.all(room.active.values());
    },
    status: () => statusOf(room),
    stats: () => statsOf(room),
    health: () => healthOf(room),
  };
}

/** Rings at once or when somebody comes to wait. */
function createAlarm(): { readonly ring: () => void; readonly wait: (delayMs: number) => Promise<void> } {
  let controller = new AbortController();
  return {
    ring: () => controller.abort(),
    wait: async (delayMs) => {
      await setTimeout(delayMs, undefined, { signal: controller.signal }).catch(() => undefined);
      controller = new AbortController();
    },
  };
}

/** One call at a time; whoever comes meanwhile gets one that begins later, which all of them share. */
function createSingleFile(work: () => Promise<void>): () => Promise<void> {
  let current: Promise<void> | undefined;
  let next: Promise<void> | undefined;
  const begin = (): Promise<void> => {
    current = work().finally(() => {
      current = undefined;
    });
    return current;
  };
  return () => {
    if (current === undefined) return begin();
    next ??= current.then(() => {
      next = undefined;
      return begin();
    });
    return next;
  };
}

async function run(room: Room, scan: () => Promise<void>, alarm: ReturnType<typeof createAlarm>): Promise<void> {
  const { settings, log } = room.options;
  let pauseMs = FIRST_PAUSE_MS;
  while (!room.stopping.signal.aborted) {
    const hint = listenForHints(settings.readyFolder, alarm.ring);
    try {
      await scan();
    } catch (error) {
      // Whatever a scan did not foresee must not end the watch.
      log.error("The scan failed", { error });
    }
    const isPaused = room.state.pauseReason !== "";
    // What a service that was killed left behind is not to wait for the next scan, should those be rare.
    const nextLookMs = room.claims.nextLookMs() ?? settings.scanIntervalMs;
    await alarm.wait(Math.min(settings.scanIntervalMs, isPaused ? pauseMs : nextLookMs));
    pauseMs = isPaused ? pauseMs * 2 : FIRST_PAUSE_MS;
    hint.close();
  }
}

/** File-system events only bring the next scan forward: many shares send none, and some lie. */
function listenForHints(folder: string, ring: () => void): { readonly close: () => void } {
  const closing = new AbortController();
  const hear = (): void => {
    setTimeout(HINT_DELAY_MS, undefined, { signal: closing.signal, ref: false }).then(ring, () => undefined);
  };
  try {
    const watcher = watch(folder, { persistent: false, signal: closing.signal }, hear);
    watcher.on("error", () => closing.abort());
  } catch {
    // No such folder, or no events to be had: the next scan comes anyway.
  }
  return { close: () => closing.abort() };
}

async function probe(room: Room): Promise<boolean> {
  const { state, options } = room;
  const reason = (await room.share.probe()) ?? "";
  if (reason !== "" && state.pauseReason === "") {
    state.counters.pauses += 1;
    options.log.warn(`Paused: ${reason}`);
  }
  if (reason === "" && state.pauseReason !== "") options.log.info("The share is there again");
  state.pauseReason = reason;
  options.onChange?.();
  return reason === "";
}

async function scanOnce(room: Room): Promise<void> {
  const { state, options, context, claims } = room;
  if (room.stopping.signal.aborted || !(await probe(room))) return;
  state.counters.scans += 1;
  try {
    await recoverAbandoned(context, room.stopping.signal);
    await sweepFolders(options.settings, claims);
    await look(room);
    state.lastScanAtMs = options.clock.nowMs();
  } catch (error) {
    // The share may have gone in the middle of it; anything else is not to stop the files that can be worked on.
    if (room.stopping.signal.aborted || !(await probe(room))) return;
    options.log.error(`The watch folder could not be looked through: ${messageOf(error)}`, { error });
  }
  pump(room);
  options.onChange?.();
}

/** Lists ready/, finds out what is new, chooses the reference, and queues what is to be repaired. */
async function look(room: Room): Promise<void> {
  const { book, tracker, state, options } = room;
  const { readyFolder } = options.settings;
  const found = await listRecordings(readyFolder);
  tracker.keepOnly(new Set([...found.keys()].map((name) => join(readyFolder, name))));
  for (const [name, entry] of book.entries) {
    if (!found.has(name) && !room.active.has(entry)) book.remove(name);
  }
  for (const [name, sighting] of found) {
    const known = book.entries.get(name);
    if (known !== undefined && room.active.has(known)) continue;
    const isStable = await tracker.observe(join(readyFolder, name), sighting);
    const entry = book.meet(name, sighting);
    if (isStable && entry.health === undefined) await examine(room, entry);
  }
  state.currentReference = chooseReferences(room)[0]?.path.slice(readyFolder.length + 1) ?? null;
  const healthyKey = healthyKeyOf(room);
  for (const entry of book.entries.values()) queueIfDue(room, entry, healthyKey);
}

async function examine(room: Room, entry: FileEntry): Promise<void> {
  const { options, book, stopping } = room;
  const path = join(options.settings.readyFolder, entry.name);
  try {
    const { health, signature, reason } = await options.examine(path, stopping.signal);
    entry.health = health === "healthy" ? "healthy" : "damaged";
    entry.signature = health === "healthy" ? signature : "";
    if (health === "healthy") book.show(entry, { state: "healthy", error: null });
    else options.log.info(`To be repaired: ${reason}`, { file: entry.name, size: entry.sighting.bytes });
  } catch (error) {
    if (!(error instanceof ReelmillError) || error.code === "ABORTED") throw error;
    // A share that stutters says nothing about the file: the next scan looks again. Else the repair says what is wrong.
    if (!error.retryable && !isShareGone(error)) entry.health = "damaged";
    else options.log.warn(`Could not be looked at: ${error.message}`, { file: entry.name, error });
  }
}

function queueIfDue(room: Room, entry: FileEntry, healthyKey: string): void {
  const { book, options } = room;
  if (entry.health !== "damaged" || room.active.has(entry)) return;
  const isWaiting = entry.missedWith !== undefined && entry.missedWith === healthyKey;
  if (isWaiting) return;
  const isDue = options.clock.monotonicMs() >= entry.retryAtMs;
  book.show(entry, { state: isDue ? "queued" : "stable" });
}

function listHealthy(room: Room): readonly ReferenceCandidate[] {
  const { readyFolder } = room.options.settings;
  return [...room.book.entries.values()]
    .filter((entry) => entry.signature !== "")
    .map(({ name, signature, sighting: { bytes, modifiedAtMs } }) => {
      return { path: join(readyFolder, name), bytes, modifiedAtMs, signature };
    });
}

function chooseReferences(room: Room): readonly ReferenceCandidate[] {
  return chooseByStrategy(listHealthy(room), room.options.settings.referenceStrategy);
}

/** Another one whenever a healthy file has come or gone. */
function healthyKeyOf(room: Room): string {
  const files = listHealthy(room).map(({ path, bytes, modifiedAtMs }) => [path, bytes, modifiedAtMs]);
  return JSON.stringify(files.sort());
}

/** Begins as many repairs as may run, in the order of the names. */
function pump(room: Room): void {
  const { book, state, active, options } = room;
  if (state.pauseReason !== "") return;
  const queued = [...book.entries.values()]
    .filter(
      (entry) => entry.shown.state === "queued" && entry.triedInScan !== state.counters.scans && !active.has(entry),
    )
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const entry of queued) {
    if (active.size >= options.settings.maxConcurrentJobs || room.stopping.signal.aborted) return;
    entry.triedInScan = state.counters.scans;
    const work = workOn(room, entry).finally(() => {
      active.delete(entry);
      options.onChange?.();
      pump(room);
    });
    active.set(entry, work);
  }
}

async function workOn(room: Room, entry: FileEntry): Promise<void> {
  const { book, state, options, stopping } = room;
  const { pauses } = state.counters;
  const healthyKey = healthyKeyOf(room);
  book.show(entry, { state: "repairing", progress: 0, phase: "", error: null, heldBy: null });
  options.onChange?.();
  try {
    const outcome = await processFile(room.context, {
      name: entry.name,
      sighting: entry.sighting,
      references: chooseReferences(room).map(({ path }) => path),
      tryKey: `${entry.putOffs} ${healthyKey}`,
      signal: stopping.signal,
      onJob: (jobId) => {
        book.show(entry, { jobId });
        options.onChange?.();
      },
      onProgress: (progress, phase) => {
        book.show(entry, { progress, phase });
        options.onChange?.();
      },
      isShareSteady: async () => state.counters.pauses === pauses && (await probe(room)),
    });
    await conclude(room, entry, outcome, healthyKey);
  } catch (error) {
    if (!stopping.signal.aborted) options.log.error("The repair broke off", { file: entry.name, error });
    putOff(room, entry);
  }
}

async function conclude(room: Room, entry: FileEntry, outcome: FileOutcome, healthyKey: string): Promise<void> {
  const { book, state, options } = room;
  const file = entry.name;
  const log = entry.shown.jobId === null ? options.log : options.log.child({ job_id: entry.shown.jobId });
  book.show(entry, { progress: 0, phase: "" });
  switch (outcome.kind) {
    case "exported":
      state.counters.exported += 1;
      if (outcome.repairedBy === "cloud") state.counters.exportedByCloud += 1;
      log.info("Repaired", { file, output: outcome.exportedAs, size: entry.sighting.bytes });
      return book.end(entry, { state: "exported", placedAs: outcome.exportedAs });
    case "quarantined": {
      const { error, quarantinedAs } = outcome;
      state.counters.quarantined += 1;
      log.error(`Could not be repaired: ${error?.message ?? ""}`, { file, output: quarantinedAs });
      return book.end(entry, { state: "quarantined", placedAs: quarantinedAs, error });
    }
    case "healthy":
      entry.health = "healthy";
      return book.show(entry, { state: "healthy" });
    case "waiting":
      entry.missedWith = healthyKey;
      log.warn(`Waits for a reference: ${outcome.error.message}`, { file });
      return book.show(entry, { state: "waiting-for-reference", error: outcome.error });
    case "held":
      return book.show(entry, { state: "queued", heldBy: outcome.heldBy });
    case "changed":
      return book.remove(file);
    case "put-off": {
      state.counters.putOff += 1;
      const { code, message } = outcome.error;
      log.warn(`Put off: ${message}`, { file, error: new ReelmillError(code, message) });
      putOff(room, entry);
      book.show(entry, { error: outcome.error });
      // Tells at once that the share has gone, and begins to look for it.
      if (!(await probe(room))) room.wake();
    }
  }
}

/** A file that is not to blame is tried again, at growing distances. */
function putOff(room: Room, entry: FileEntry): void {
  const { clock, settings } = room.options;
  const backOffMs = Math.min(settings.scanIntervalMs * 2 ** entry.putOffs, MAX_BACK_OFF_MS);
  entry.putOffs += 1;
  entry.retryAtMs = clock.monotonicMs() + backOffMs;
  room.book.show(entry, { state: "stable", progress: 0, phase: "" });
}

async function repairNow(room: Room, name: string): Promise<void> {
  const { options, book, active } = room;
  if (!isWatchedName(name)) {
    throw new ReelmillError("PARAMS_INVALID", `"${name}" is not the name of a recording in the watch folder.`);
  }
  if (!(await probe(room))) throw new ReelmillError("STORE_UNAVAILABLE", room.state.pauseReason);
  const path = join(options.settings.readyFolder, name);
  const sighting = await sightFile(path);
  if (sighting === undefined) throw new ReelmillError("INPUT_NOT_FOUND", `${path} does not exist.`);
  const known = book.entries.get(name);
  if (known !== undefined && active.has(known)) {
    throw new ReelmillError("JOB_STATE", `${name} is being repaired already.`);
  }
  const entry = book.meet(name, sighting);
  entry.health = "damaged";
  entry.signature = "";
  entry.missedWith = undefined;
  entry.retryAtMs = Number.NEGATIVE_INFINITY;
  entry.triedInScan = -1;
  book.show(entry, { state: "queued", error: null, heldBy: null });
  pump(room);
}

function statusOf({ state, book, options }: Room): EdgeStatus {
  const { readyFolder, exportFolder, quarantineFolder, originalsFolder } = options.settings;
  return {
    isRunning: state.isRunning,
    isPaused: state.pauseReason !== "",
    reason: state.pauseReason,
    readyFolder,
    exportFolder,
    quarantineFolder,
    originalsFolder,
    knownFiles: book.list(),
    currentReference: state.currentReference,
    counters: { ...state.counters },
    lastScanAtMs: state.lastScanAtMs,
  };
}

function statsOf(room: Room): EdgeStats {
  const { isRunning, isPaused, reason, currentReference, lastScanAtMs, counters, knownFiles } = statusOf(room);
  const files: Partial<Record<FileState, number>> = {};
  for (const { state } of knownFiles) files[state] = (files[state] ?? 0) + 1;
  return { isRunning, isPaused, reason, currentReference, lastScanAtMs, ...counters, files };
}

function healthOf({ state, book }: Room): EdgeHealth {
  return {
    status: state.pauseReason === "" ? "healthy" : "paused",
    scanner_running: state.isRunning,
    known_files: book.entries.size,
    current_reference: state.currentReference,
  };
}
