import type { StreamState } from "../live/event-stream.ts";

const WORDS: Readonly<Record<StreamState, string>> = {
  connecting: "Connecting…",
  live: "Live",
  polling: "Every 3 s",
};

/** How news come. */
export function Connection({ state }: { readonly state: StreamState }) {
  return <span className={`connection connection-${state}`}>{WORDS[state]}</span>;
}
