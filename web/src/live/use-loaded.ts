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
  const restart = useRef<() => void>(() => undefined);
  useEffect(() => {
    const run = startAsking(ask, refreshMs, (outcome) =>
      setKept((before) => ({ key, data: before.key === key ? before.data : undefined, error: undefined, ...outcome })),
    );
    restart.current = run.askNow;
    return run.stop;
  }, [key, refreshMs]);
  const reload = useCallback(() => restart.current(), []);
  const update = useCallback(
    (change: (data: T) => T) =>
      setKept((before) => (before.data === undefined ? before : { ...before, data: change(before.data) })),
    [],
  );
  const isCurrent = kept.key === key;
  return { data: isCurrent ? kept.data : undefined, error: isCurrent ? kept.error : undefined, reload, update };
}

type Outcome<T> = { readonly data: T } | { readonly error: ApiError };

/** Asks in turns, never twice at a time. */
function startAsking<T>(
  ask: (signal: AbortSignal) => Promise<T>,
  refreshMs: number | null,
  tell: (outcome: Outcome<T>) => void,
): { readonly askNow: () => void; readonly stop: () => void } {
  let current: AbortController | undefined;
  let timer: number | undefined;
  const stop = (): void => {
    current?.abort();
    window.clearTimeout(timer);
  };
  const askNow = (): void => {
    stop();
    current = new AbortController();
    const { signal } = current;
    void settle(ask, signal).then((outcome) => {
      if (signal.aborted) return;
      tell(outcome);
      if (refreshMs !== null) timer = window.setTimeout(askLater, refreshMs);
    });
  };
  const askLater = (): void => {
    if (!document.hidden) askNow();
  };
  document.addEventListener("visibilitychange", askLater);
  askNow();
  return {
    askNow,
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
