import type { EdgeHealth, EdgeStats, EdgeStatus, FileState } from "./edge-status.ts";
import { outputFaultOf } from "./outputs.ts";
import type { Room } from "./room.ts";

/** The watch folder at a glance. */
export function statusOf(room: Room): EdgeStatus {
  const { state, book, options } = room;
  const { readyFolder, exportFolder, quarantineFolder, originalsFolder } = options.settings;
  return {
    isRunning: state.isRunning,
    isPaused: state.pauseReason !== "",
    reason: state.pauseReason,
    fault: outputFaultOf(room),
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
export function healthOf(room: Room): EdgeHealth {
  const { state, book } = room;
  const working = outputFaultOf(room) === "" ? "healthy" : "degraded";
  return {
    status: state.pauseReason === "" ? working : "paused",
    scanner_running: state.isRunning,
    known_files: book.entries.size,
    current_reference: state.currentReference,
  };
}
