/** Wakes whoever waits. */
export interface Bell {
  ring(): void;
  /** Resolves at the next ring, at once where it rang since the last wait, after `timeoutMs`, or when the signal is aborted. */
  readonly wait: (timeoutMs: number, signal: AbortSignal) => Promise<void>;
}

/** A bell for one waiter at a time. */
export function createBell(): Bell {
  let hasRung = false;
  let wake: (() => void) | undefined;
  return {
    ring: () => {
      hasRung = true;
      wake?.();
    },
    wait: async (timeoutMs, signal) => {
      if (!hasRung && !signal.aborted) {
        await new Promise<void>((resolve) => {
          const done = (): void => {
            clearTimeout(timer);
            signal.removeEventListener("abort", done);
            wake = undefined;
            resolve();
          };
          const timer = setTimeout(done, timeoutMs);
          signal.addEventListener("abort", done, { once: true });
          wake = done;
        });
      }
      hasRung = false;
    },
  };
}
