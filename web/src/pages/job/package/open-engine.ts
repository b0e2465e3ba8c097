import type Hls from "hls.js";
import type { ErrorData } from "hls.js";
import { AUTO, nameLevel, OFF, qualityChoices, trackChoices } from "./choices.ts";
import type { Engine, Menu, TellEngine } from "./engine.ts";

const HLS_TYPE = "application/vnd.apple.mpegurl";

/**
 * Makes the package at `url` ready to play: by hls.js where the browser lets it, else by the browser itself. Nothing but the playlist is
 * loaded before it plays. Undefined where `signal` was aborted before: another one may have the element by then.
 */
export async function openEngine(
  video: HTMLVideoElement,
  url: string,
  tell: TellEngine,
  signal: AbortSignal,
): Promise<Engine | undefined> {
  const { default: Library } = await import("hls.js");
  if (signal.aborted) return undefined;
  if (Library.isSupported()) return openHls(Library, video, url, tell);
  if (video.canPlayType(HLS_TYPE) !== "") return openNative(video, url, tell);
  throw new Error("This browser plays no HLS packages.");
}

function openNative(video: HTMLVideoElement, url: string, tell: TellEngine): Engine {
  const onError = (): void => fail(tell, video.error?.message ?? "unknown");
  video.addEventListener("error", onError);
  video.preload = "metadata";
  video.src = url;
  tell((before) => ({ ...before, kind: "native" }));
  return {
    choose: () => undefined,
    seek: (seconds) => {
      video.currentTime = seconds;
    },
    close: () => {
      video.removeEventListener("error", onError);
      video.removeAttribute("src");
      video.load();
    },
  };
}

function openHls(Library: typeof Hls, video: HTMLVideoElement, url: string, tell: TellEngine): Engine {
  // Fragmented MP4 needs no worker to be taken apart.
  const hls = new Library({ autoStartLoad: false, enableWorker: false, capLevelToPlayerSize: true });
  let isParsed = false;
  let startSeconds: number | undefined;
  const start = (seconds: number): void => {
    if (startSeconds !== undefined) return;
    startSeconds = seconds;
    if (isParsed) hls.startLoad(seconds);
  };
  hls.once(Library.Events.MANIFEST_PARSED, () => {
    isParsed = true;
    if (startSeconds !== undefined) hls.startLoad(startSeconds);
  });
  const onPlay = (): void => start(0);
  video.addEventListener("play", onPlay);
  // Asked for before there was anything to play.
  if (!video.paused) onPlay();
  listen(Library, hls, tell);
  hls.attachMedia(video);
  hls.loadSource(url);
  return {
    choose: (menu, id) => {
      choose(hls, menu, id);
      tell((before) => ({ ...before, menus: { ...before.menus, [menu]: { ...before.menus[menu], chosen: id } } }));
    },
    seek: (seconds) => {
      if (startSeconds === undefined) start(seconds);
      else video.currentTime = seconds;
    },
    close: () => {
      video.removeEventListener("play", onPlay);
      hls.destroy();
    },
  };
}

function listen(Library: typeof Hls, hls: Hls, tell: TellEngine): void {
  const { Events, ErrorTypes } = Library;
  let isRecovered = false;
  hls.on(Events.MANIFEST_PARSED, () => {
    const sounds = trackChoices(hls.allAudioTracks);
    const first = Math.max(
      0,
      hls.allAudioTracks.findIndex((track) => track.default),
    );
    const words = trackChoices(hls.allSubtitleTracks);
    tell((before) => ({
      ...before,
      kind: "hls",
      menus: {
        quality: { options: qualityChoices(hls.levels), chosen: AUTO },
        sound: { options: sounds, chosen: String(first) },
        subtitles: { options: words.length === 0 ? [] : [{ id: OFF, label: "Off" }, ...words], chosen: OFF },
      },
    }));
  });
  hls.on(Events.LEVEL_SWITCHED, (_event, { level: index }) => {
    const level = hls.levels[index];
    if (level !== undefined) tell((before) => ({ ...before, playing: nameLevel(level) }));
  });
  hls.on(Events.ERROR, (_event, error: ErrorData) => {
    if (!error.fatal) return;
    if (error.type === ErrorTypes.MEDIA_ERROR && !isRecovered) {
      isRecovered = true;
      hls.recoverMediaError();
      return;
    }
    fail(tell, error.details);
    hls.destroy();
  });
}

function choose(hls: Hls, menu: Menu, id: string): void {
  switch (menu) {
    case "quality":
      // What is loaded already may play on where nobody asks for anything better at once.
      if (id === AUTO) hls.loadLevel = -1;
      else hls.currentLevel = Number(id);
      break;
    case "sound": {
      const track = hls.allAudioTracks[Number(id)];
      if (track !== undefined) hls.setAudioOption({ name: track.name, ...(track.lang ? { lang: track.lang } : {}) });
      break;
    }
    case "subtitles": {
      const track = hls.allSubtitleTracks[Number(id)];
      if (id === OFF) hls.subtitleTrack = -1;
      else if (track !== undefined) {
        hls.setSubtitleOption({ name: track.name, ...(track.lang ? { lang: track.lang } : {}) });
      }
      hls.subtitleDisplay = id !== OFF;
    }
  }
}

/** Tells that it cannot be played. */
function fail(tell: TellEngine, why: string): void {
  tell((before) => ({ ...before, kind: "failed", failure: why }));
}
