import type { Clock } from "../base/clock.ts";
import { ReelmillError } from "../base/errors.ts";
import type { Json } from "../base/json.ts";
import type { Logger } from "../base/log.ts";
import { persist } from "./persist.ts";
import type { JobStore, TaskMessage } from "./ports.ts";
import { checkJson } from "./stage-output.ts";

interface PulseOptions {
  readonly log: Logger;
  readonly clock: Clock;
  readonly leaseMs: number;
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
}

/** Progress reaches the store this often. */
const BEAT_MS = 500;
/** A lease is prolonged so often while it lasts: two may be late before it is lost. */
const RENEWALS_PER_LEASE = 3;

/** Why an attempt was ended before it was done. */
type Ending = "superseded" | "timeout" | "stopped";

/** The running attempt's heart. */
interface Pulse {
  /** Aborted once the attempt is to end. */
  readonly signal: AbortSignal;
  /** Why, or undefined while it may go on. */
  ending(): Ending | undefined;
  readonly onProgress: (fraction: number, phase: string) => void;
  readonly saveCheckpoint: (value: Json) => Promise<void>;
  /** Ends it; afterwards nothing is written any more. */
  stop(): Promise<void>;
}

/**
 * Tells the store how far an attempt has come, prolongs its lease, and learns whether it is still wanted. A store that fails
 * for a while is tried again with the next beat.
 */
export function startPulse(
  store: JobStore,
  message: TaskMessage,
  attempt: number,
  { leaseMs, signal, timeoutMs, log, clock }: PulseOptions,
): Pulse {
  const controller = new AbortController();
  const { ref } = message;
  let state = { progress: 0, phase: "" };
  let ending: Ending | undefined;
  let beating: Promise<void> = Promise.resolve();
  const end = (why: Ending): void => {
    if (ending !== undefined) return;
    ending = why;
    controller.abort(why);
  };
  const beatMs = Math.min(BEAT_MS, leaseMs / RENEWALS_PER_LEASE);
  const beatsPerRenewal = Math.max(1, Math.floor(leaseMs / RENEWALS_PER_LEASE / beatMs));
  let sinceRenewal = 0;
  const tell = async (): Promise<void> => {
    sinceRenewal += 1;
    const isRenewal = sinceRenewal >= beatsPerRenewal;
    const isWanted = await store.beat({ ref, attempt, message, ...state, ...(isRenewal ? { leaseMs } : {}) });
    // One that failed is made up for with the next beat.
    if (isRenewal) sinceRenewal = 0;
    if (!isWanted) end("superseded");
  };
  const beat = (): void => {
    // A failing store shows itself when the outcome is recorded; until then the lease may well hold.
    beating = beating.then(tell).catch(() => undefined);
  };
  const stopped = (): void => end("stopped");
  if (signal.aborted) stopped();
  signal.addEventListener("abort", stopped, { once: true });
  const beats = setInterval(beat, beatMs);
  const timeout = setTimeout(() => end("timeout"), timeoutMs);
  return {
    signal: controller.signal,
    ending: () => ending,
    onProgress: (progress, phase) => {
      state = { progress, phase };
    },
    saveCheckpoint: async (checkpoint) => {
      checkJson("checkpoint", checkpoint);
      const save = (): Promise<boolean> => store.beat({ ref, attempt, message, ...state, checkpoint });
      if (await persist("The checkpoint", save, { log, clock }, controller.signal)) return;
      end("superseded");
      // Whoever saves one goes on by what it says; another attempt's word counts now.
      throw new ReelmillError("ABORTED", "The attempt was given up: the job ended, or another worker has the task.");
    },
    stop: async () => {
      clearInterval(beats);
      clearTimeout(timeout);
      signal.removeEventListener("abort", stopped);
      await beating;
    },
  };
}
