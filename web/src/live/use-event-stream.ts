import { useEffect, useEffectEvent, useState } from "react";
import { openEventStream, type StreamHandlers, type StreamState } from "./event-stream.ts";

/** Listens to a stream of the server for as long as the component is shown; says how news come. */
export function useEventStream(path: string, handlers: Omit<StreamHandlers, "onState">): StreamState {
  const [state, setState] = useState<StreamState>("connecting");
  const onJob = useEffectEvent<NonNullable<StreamHandlers["onJob"]>>((job) => handlers.onJob?.(job));
  const onEvent = useEffectEvent<NonNullable<StreamHandlers["onEvent"]>>((event) => handlers.onEvent?.(event));
  const onWatch = useEffectEvent<NonNullable<StreamHandlers["onWatch"]>>((watch) => handlers.onWatch?.(watch));
  useEffect(() => openEventStream(path, { onJob, onEvent, onWatch, onState: setState }), [path]);
  return state;
}

const LIVE_REFRESH_MS = 30_000;
const POLL_MS = 3_000;

/** How often to ask besides; what was told while the stream was down is caught up with soon. */
export function refreshMsOf(state: StreamState): number {
  return state === "live" ? LIVE_REFRESH_MS : POLL_MS;
}
