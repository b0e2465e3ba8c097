import { useEffect, useState } from "react";

const TICK_MS = 5_000;

/** The present time in milliseconds since 1970, renewed every few seconds. */
export function useNow(): number {
  const [nowMs, setNowMs] = useState(() => Date.now());
  useEffect(() => {
    const timer = window.setInterval(() => setNowMs(Date.now()), TICK_MS);
    return () => window.clearInterval(timer);
  }, []);
  return nowMs;
}
