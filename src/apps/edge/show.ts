import type { EdgeHealth, EdgeStats, EdgeStatus, FileState } from "./edge-status.ts";
import type { Room } from "./room.ts";

/** The watch folder at a glance. */
export function statusOf({ state, book, options }: Room): EdgeStatus {
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

/** Counters and how many files are in which state. */
export function statsOf(room: Room): EdgeStats {
  const { isRunning, isPaused, reason, currentReference, lastScanAtMs, counters, knownFiles } = statusOf(room);
  const files: Partial<Record<FileState, number>> = {};
  for (const { state } of knownFiles) files[state] = (files[state] ?? 0) + 1;
  return { isRunning, isPaused, reason, currentReference, lastScanAtMs, ...counters, files };
}

/** What the contract asks for. */
export function healthOf({ state, book }: Room): EdgeHealth {
  return {
    status: state.pauseReason === "" ? "healthy" : "paused",
    scanner_running: state.isRunning,
    known_files: book.entries.size,
    current_reference: state.currentReference,
  };
}
