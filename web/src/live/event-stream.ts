import type { EventView, JobView, WatchView } from "../api/types.ts";

/** `live`: the server tells of changes; `polling`: it is asked for them. */
export type StreamState = "connecting" | "live" | "polling";

/** Who hears what the server tells. */
export interface StreamHandlers {
  readonly onJob?: (job: JobView) => void;
  readonly onEvent?: (event: EventView) => void;
  readonly onWatch?: (watch: WatchView) => void;
  readonly onState: (state: StreamState) => void;
}

const REOPEN_MS = 15_000;
/** A server that keeps no stream open is asked again by the browser when it said so, which is sooner. */
const PATIENCE_MS = 6_000;

/** Listens to a stream of the server while the tab is seen; returns how to stop. */
export function openEventStream(path: string, handlers: StreamHandlers): () => void {
  let source: EventSource | null = null;
  let reopening: number | undefined;
  let doubting: number | undefined;
  const trust = (): void => {
    window.clearTimeout(doubting);
    doubting = undefined;
  };
  const close = (): void => {
    window.clearTimeout(reopening);
    trust();
    source?.close();
    source = null;
  };
  const open = (): void => {
    close();
    source = new EventSource(path);
    listen(source, handlers, trust);
    source.onerror = () => {
      // The browser tries again by itself unless the server refused.
      if (source?.readyState === EventSource.CLOSED) {
        trust();
        handlers.onState("polling");
        reopening = window.setTimeout(open, REOPEN_MS);
      } else doubting ??= window.setTimeout(() => handlers.onState("polling"), PATIENCE_MS);
    };
  };
  // Browsers allow six connections to a server over all tabs: those that nobody sees give theirs back.
  const onVisibility = (): void => (document.hidden ? close() : open());
  document.addEventListener("visibilitychange", onVisibility);
  if (!document.hidden) open();
  return () => {
    document.removeEventListener("visibilitychange", onVisibility);
    close();
  };
}

function listen(source: EventSource, handlers: StreamHandlers, onOpen: () => void): void {
  let told = "";
  source.onopen = () => {
    onOpen();
    handlers.onState("live");
  };
  source.addEventListener("job", ({ data }: MessageEvent<string>) => {
    // A stream that was asked for again begins with the job as it is.
    if (data !== told) handlers.onJob?.(JSON.parse(data));
    told = data;
  });
  source.addEventListener("event", ({ data }: MessageEvent<string>) => handlers.onEvent?.(JSON.parse(data)));
  source.addEventListener("watch", ({ data }: MessageEvent<string>) => handlers.onWatch?.(JSON.parse(data)));
}
