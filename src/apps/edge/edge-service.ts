import { watch } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { ReelmillError } from "../../base/errors.ts";
import { isRecordingName } from "../../pipelines/repair/recording-name.ts";
import { createClaimKeeper } from "./claims.ts";
import type { EdgeHealth, EdgeStats, EdgeStatus } from "./edge-status.ts";
import { createFileBook } from "./file-entry.ts";
import { misnamingOf, sightFile } from "./listing.ts";
import { type EdgeServiceOptions, probe, type Room } from "./room.ts";
import { scanOnce } from "./scan.ts";
import { createShare } from "./share.ts";
import { healthOf, statsOf, statusOf } from "./show.ts";
import { createStabilityTracker } from "./stability.ts";
import { pump } from "./work.ts";

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
      outputFault: "",
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

async function repairNow(room: Room, name: string): Promise<void> {
  const { options, book, active } = room;
  if (!isRecordingName(name)) {
    throw new ReelmillError("PARAMS_INVALID", `"${name}" is not the name of a recording in the watch folder.`);
  }
  const known = book.entries.get(name);
  const misnaming = (known?.health === "misnamed" ? known.shown.error : null) ?? misnamingOf(name);
  if (misnaming !== undefined) throw new ReelmillError("PARAMS_INVALID", misnaming.message);
  if (!(await probe(room))) throw new ReelmillError("STORE_UNAVAILABLE", room.state.pauseReason);
  const path = join(options.settings.readyFolder, name);
  const sighting = await sightFile(path);
  if (sighting === undefined) throw new ReelmillError("INPUT_NOT_FOUND", `${path} does not exist.`);
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
