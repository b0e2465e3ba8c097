/** What is shared out. */
export interface ThreadWish {
  /** Of the machine, ≥ 1. */
  readonly cores: number;
  /** Workers on the machine that encode at the same time, ≥ 1; each gets an equal part of the cores. */
  readonly workers: number;
  /** Whether one process of the encoder keeps all cores busy (`EncoderChoice.scales`). */
  readonly scales: boolean;
  /** Spans that there are to encode, ≥ 1; default: as many as can be used. */
  readonly spans?: number | undefined;
}

/** How many encoder processes one worker runs at a time, and the threads of each; both ≥ 1. */
export interface ThreadBudget {
  readonly concurrentSpans: number;
  readonly threadsPerSpan: number;
}

/**
 * Shares out the cores: an encoder that scales gets one process with all of them, another one process for each core, and
 * more threads for each where there are fewer spans than cores.
 */
export function budgetThreads({ cores, workers, scales, spans }: ThreadWish): ThreadBudget {
  const share = Math.max(1, Math.floor(cores / Math.max(1, workers)));
  if (scales) return { concurrentSpans: 1, threadsPerSpan: share };
  const concurrentSpans = Math.max(1, Math.min(share, spans ?? share));
  // Rounded up: an encoder's threads wait for each other, so one too many costs less than an idle core.
  return { concurrentSpans, threadsPerSpan: Math.ceil(share / concurrentSpans) };
}
