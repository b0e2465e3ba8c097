import { statSync } from "node:fs";
import { resolve } from "node:path";
import { setTimeout } from "node:timers/promises";
import { LONGEST_TIMER_MS } from "../../base/clock.ts";
import { ReelmillError } from "../../base/errors.ts";
import { runProcess } from "../../ffmpeg/process.ts";
import { requireNotAborted, type WorkHooks } from "./hooks.ts";
import type { Recording } from "./recordings.ts";

/** A copy that goes on while the engine still reads: both spend most of their time waiting for memory and disk. */
export interface EarlyCopy {
  /** Waits for the whole copy. False where it failed: then it is to be made in another way. Throws ABORTED. */
  finish(hooks: WorkHooks): Promise<boolean>;
  /** Ends the copying, wherever it is. */
  stop(): Promise<void>;
}

const POLL_MS = 50;

/**
 * Starts the system's own `cp`, which needs none of this process's memory and can be stopped at any moment, as neither can
 * be said of a thread or of Node's `copyFile`. `program` is for tests.
 */
export function beginEarlyCopy(source: Recording, target: string, program = "cp"): EarlyCopy {
  const controller = new AbortController();
  let isEnded = false;
  const ended = runProcess(program, [resolve(source.path), resolve(target)], {
    timeoutMs: LONGEST_TIMER_MS,
    signal: controller.signal,
    graceMs: 0,
  })
    .then(({ exitCode }) => exitCode === 0)
    .catch((error: unknown) => {
      // Where there is no `cp`, the copy is made here as well.
      if (error instanceof ReelmillError) return false;
      throw error;
    })
    .finally(() => {
      isEnded = true;
    });
  // Whoever finishes hears of it; a copy that is stopped may fail as it likes.
  ended.catch(() => undefined);
  return {
    finish: async (hooks) => {
      while (!isEnded) {
        await Promise.race([ended, setTimeout(POLL_MS)]);
        requireNotAborted(hooks.signal);
        hooks.onProgress(sizeOf(target) / source.sizeBytes, "writing");
      }
      return (await ended) && sizeOf(target) === source.sizeBytes;
    },
    stop: async () => {
      controller.abort();
      await ended.catch(() => undefined);
    },
  };
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
