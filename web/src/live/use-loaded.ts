import { useCallback, useEffect, useEffectEvent, useRef, useState } from "react";
import { type ApiError, toApiError } from "../api/api-error.ts";

/** Something that was asked of the server. */
export interface Loaded<T> {
  /** The newest answer; undefined before the first. */
  readonly data: T | undefined;
  /** Why the newest question had no answer. */
  readonly error: ApiError | undefined;
  /** Asks again at once. */
  readonly reload: () => void;
  /** Changes the answer by what is known from elsewhere; not before there is one. */
  readonly update: (change: (data: T) => T) => void;
}

interface Kept<T> {
  readonly key: string;
  readonly data: T | undefined;
  readonly error: ApiError | undefined;
}

/**
 * Asks the server now and every `refreshMs` while the tab is seen; `null`: only once. Asks anew when `key`, which names
 * what is asked for, changes.
 */
export function useLoaded<T>(
  load: (signal: AbortSignal) => Promise<T>,
  key: string,
  refreshMs: number | null,
): Loaded<T> {
  const [kept, setKept] = useState<Kept<T>>({ key, data: undefined, error: undefined });
  const ask = useEffectEvent(load);
  const asking = useRef<Asking | null>(null);
  useEffect(() => {
    const run = startAsking(ask, refreshMs, (outcome, isOld) =>
      setKept((before) => {
        const data = before.key === key ? before.data : undefined;
        const isOutdone = isOld && data !== undefined && "data" in outcome;
        return { key, data, error: undefined, ...(isOutdone ? {} : outcome) };
      }),
    );
    asking.current = run;
    return run.stop;
  }, [key, refreshMs]);
  const reload = useCallback(() => asking.current?.askNow(), []);
  const update = useCallback((change: (data: T) => T) => {
    setKept((before) => (before.data === undefined ? before : { ...before, data: change(before.data) }));
    asking.current?.askAnew();
  }, []);
  const isCurrent = kept.key === key;
  return { data: isCurrent ? kept.data : undefined, error: isCurrent ? kept.error : undefined, reload, update };
}

interface Asking {
  readonly askNow: () => void;
  /** An answer that is waited for may be older than what was just told from elsewhere: asks again behind it. */
  readonly askAnew: () => void;
  readonly stop: () => void;
}

type Outcome<T> = { readonly data: T } | { readonly error: ApiError };

/** Before an answer that may be old is asked for again: news may come faster than answers. */
const SOON_MS = 300;

/** Asks in turns, never twice at a time. `tell` hears of each answer whether it may be older than what was told meanwhile. */
function startAsking<T>(
  ask: (signal: AbortSignal) => Promise<T>,
  refreshMs: number | null,
  tell: (outcome: Outcome<T>, isOld: boolean) => void,
): Asking {
  let current: AbortController | undefined;
  let isWaiting = false;
  let isOld = false;
  let timer: number | undefined;
  const stop = (): void => {
    current?.abort();
    window.clearTimeout(timer);
  };
  const askNow = (): void => {
    stop();
    current = new AbortController();
    const { signal } = current;
    isWaiting = true;
    isOld = false;
    void settle(ask, signal).then((outcome) => {
      if (signal.aborted) return;
      isWaiting = false;
      tell(outcome, isOld);
      const waitMs = isOld ? SOON_MS : refreshMs;
      if (waitMs !== null) timer = window.setTimeout(askLater, waitMs);
    });
  };
  const askLater = (): void => {
    if (!document.hidden) askNow();
  };
  document.addEventListener("visibilitychange", askLater);
  askNow();
  return {
    askNow,
    askAnew: () => {
      isOld ||= isWaiting;
    },
    stop: () => {
      document.removeEventListener("visibilitychange", askLater);
      stop();
    },
  };
}

async function settle<T>(ask: (signal: AbortSignal) => Promise<T>, signal: AbortSignal): Promise<Outcome<T>> {
  try {
    return { data: await ask(signal) };
  } catch (error) {
    return { error: toApiError(error) };
  }
}
