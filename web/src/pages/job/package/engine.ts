import type { Choices } from "./choices.ts";

/** What can be chosen while a package plays. */
export type Menu = "quality" | "sound" | "subtitles";

/** What plays a package, as far as it has come. */
export interface EngineState {
  /** `native`: the browser's own player, which chooses by itself. */
  readonly kind: "loading" | "hls" | "native" | "failed";
  readonly menus: Readonly<Record<Menu, Choices>>;
  /** What plays at the moment; null before it plays. */
  readonly playing: string | null;
  /** Why it cannot be played; null while it can. */
  readonly failure: string | null;
}

/** Plays one package in one video element. */
export interface Engine {
  readonly choose: (menu: Menu, id: string) => void;
  /** Goes to a place, and loads what is there. */
  readonly seek: (seconds: number) => void;
  readonly close: () => void;
}

/** Hears what has changed. */
export type TellEngine = (change: (before: EngineState) => EngineState) => void;

const NO_CHOICE: Choices = { options: [], chosen: "" };

/** Before anything is known. */
export const LOADING: EngineState = {
  kind: "loading",
  menus: { quality: NO_CHOICE, sound: NO_CHOICE, subtitles: NO_CHOICE },
  playing: null,
  failure: null,
};
