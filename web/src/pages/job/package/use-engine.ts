import { type RefObject, useEffect, useRef, useState } from "react";
import { type Engine, type EngineState, LOADING, type Menu, type TellEngine } from "./engine.ts";
import { openEngine } from "./open-engine.ts";

/** What plays a package, and what can be asked of it. */
export interface UsedEngine extends Pick<Engine, "seek"> {
  readonly state: EngineState;
  readonly choose: (menu: Menu, id: string) => void;
}

/** Plays the package at `url` in a video element for as long as the component is there. */
export function useEngine(video: RefObject<HTMLVideoElement | null>, url: string): UsedEngine {
  const [state, setState] = useState(LOADING);
  const engine = useRef<Engine | null>(null);
  useEffect(() => {
    const element = video.current;
    if (element === null) return undefined;
    const left = new AbortController();
    const tell: TellEngine = (change) => {
      if (!left.signal.aborted) setState(change);
    };
    tell(() => LOADING);
    openEngine(element, url, tell, left.signal).then(
      (opened) => {
        if (left.signal.aborted) opened?.close();
        else engine.current = opened ?? null;
      },
      (error: unknown) => tell((before) => ({ ...before, kind: "failed", failure: String(error) })),
    );
    return () => {
      left.abort();
      engine.current?.close();
      engine.current = null;
    };
  }, [video, url]);
  return {
    state,
    choose: (menu, id) => engine.current?.choose(menu, id),
    seek: (seconds) => engine.current?.seek(seconds),
  };
}
