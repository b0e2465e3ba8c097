// What runs in the browser of players.test.ts: hls.js and Shaka Player behind one set of words.
// `?player=hls` or `?player=shaka` chooses; the test waits for `window.player`.

const video = document.querySelector("video");
const complaints = [];
const complain = (what) => complaints.push(`${what} at ${video.currentTime.toFixed(2)} s`);

/**
 * Whether there are media for the next half second. A wait with them is a decoder's that gets no processor: it has to end by itself, since
 * neither player is let help it over. A wait without them, or help over a gap, is a fault of the package.
 */
const hasMediaAhead = () => {
  const { buffered, currentTime, duration } = video;
  const wanted = Math.min(currentTime + 0.5, duration);
  for (let index = 0; index < buffered.length; index++) {
    if (buffered.start(index) <= currentTime && buffered.end(index) >= wanted) return true;
  }
  return false;
};

/** Waits until `isSo`; what does not come is the test's own timeout to tell. */
const until = async (isSo) => {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 20));
};

const load = (src) =>
  new Promise((resolve, reject) => {
    const script = document.createElement("script");
    Object.assign(script, { src, onload: resolve, onerror: reject });
    document.head.append(script);
  });

async function openHls(url) {
  await load("/hls.js");
  const { Hls } = window;
  const hls = new Hls({
    autoStartLoad: false,
    enableWorker: false,
    maxBufferLength: 120,
    maxMaxBufferLength: 120,
    // Longer than any test takes.
    highBufferWatchdogPeriod: 1000,
  });
  hls.on(Hls.Events.ERROR, (_event, { details, error }) => {
    // So hls.js calls what it stops loading because another track was chosen.
    if (details === Hls.ErrorDetails.INTERNAL_ABORTED) return;
    // The last append of packed audio holds nothing, which hls.js tells.
    const isIdle = details === "bufferStalledError" || details === "bufferAppendNoProgress";
    if (!isIdle || !hasMediaAhead()) complain(`${details}: ${error?.message}`);
  });
  hls.attachMedia(video);
  hls.loadSource(url);
  await new Promise((resolve) => hls.once(Hls.Events.MANIFEST_PARSED, resolve));
  return {
    heights: hls.levels.map(({ height }) => height),
    languages: () => hls.audioTracks.map(({ lang }) => lang),
    start: (height) => {
      hls.currentLevel = hls.levels.findIndex((level) => level.height === height);
      hls.startLoad(0);
    },
    choose: (height) => {
      hls.currentLevel = hls.levels.findIndex((level) => level.height === height);
    },
    hear: async (language) => {
      const switched = new Promise((resolve) => hls.once(Hls.Events.AUDIO_TRACK_SWITCHED, resolve));
      hls.audioTrack = hls.audioTracks.findIndex(({ lang }) => lang === language);
      await switched;
    },
    read: () => {
      hls.subtitleTrack = 0;
    },
  };
}

async function openShaka(url) {
  await load("/shaka.js");
  const { shaka } = window;
  shaka.polyfill.installAll();
  const player = new shaka.Player();
  await player.attach(video);
  player.addEventListener("error", ({ detail }) => complain(`Shaka error ${detail.code}: ${detail.data}`));
  player.addEventListener("gapjumped", () => complain("jump over a gap"));
  player.configure({
    abr: { enabled: false },
    streaming: { bufferingGoal: 120, bufferBehind: 120, stallEnabled: false },
  });
  const tracks = (language) => player.getVariantTracks().filter((track) => track.language === language);
  const choose = (height) => {
    const active = player.getVariantTracks().find((track) => track.active);
    const wanted = tracks(active?.language ?? "en").find((track) => track.height === height);
    player.selectVariantTrack(wanted, true);
  };
  await player.load(url);
  return {
    heights: [...new Set(player.getVariantTracks().map(({ height }) => height))],
    languages: () => [...new Set(player.getVariantTracks().map(({ language }) => language))],
    start: choose,
    choose,
    hear: async (language) => {
      player.selectAudioTrack(player.getAudioTracks().find((track) => track.language === language));
      await until(() => player.getVariantTracks().some((track) => track.active && track.language === language));
    },
    read: () => player.selectTextTrack(player.getTextTracks()[0]),
  };
}

/** Where the media buffered from the beginning end; NaN where there is a gap or they begin elsewhere. */
const bufferedSeconds = () => {
  const { buffered } = video;
  return buffered.length === 1 && buffered.start(0) === 0 ? buffered.end(0) : Number.NaN;
};

async function open(url) {
  const player = await (new URLSearchParams(location.search).get("player") === "hls" ? openHls : openShaka)(url);
  let isSwitching = true;
  video.addEventListener("waiting", () => {
    if (!isSwitching && !video.ended && !hasMediaAhead()) complain("waiting");
  });
  video.addEventListener("error", () => complain(`media error: ${video.error?.message}`));
  const seen = async (height, seconds = 0.3) => {
    await until(() => video.videoHeight === height && video.readyState >= 3 && !video.seeking);
    const from = video.currentTime;
    await until(() => video.currentTime > from + seconds || video.ended);
    isSwitching = false;
  };
  return {
    heights: player.heights,
    languages: player.languages,
    /** Goes on with another language; done when it has gone on for so long that nothing of the change is under way. */
    hear: async (language) => {
      isSwitching = true;
      await player.hear(language);
      await seen(video.videoHeight, 1);
    },
    complaints,
    /** Buffers one rung whole, plays it to its end and tells what was seen. */
    playThrough: async (height, rate) => {
      video.muted = true;
      video.playbackRate = rate;
      player.start(height);
      const isBuffered = () => bufferedSeconds() >= video.duration - 0.1 && video.readyState === 4;
      await until(() => isBuffered() || complaints.length > 0);
      const heights = new Set();
      video.addEventListener("timeupdate", () => heights.add(video.videoHeight));
      await video.play();
      isSwitching = false;
      await until(() => video.ended || complaints.length > 0);
      const { currentTime, duration } = video;
      return {
        heights: [...heights],
        currentTime,
        duration,
        pictures: video.getVideoPlaybackQuality().totalVideoFrames,
      };
    },
    /** Plays from the beginning with a rung. */
    begin: async (height) => {
      video.muted = true;
      player.start(height);
      await video.play();
      await seen(height);
    },
    /** Goes on with another rung: done when its pictures are seen going on. Tells where. */
    change: async (height) => {
      isSwitching = true;
      player.choose(height);
      await seen(height);
      return video.currentTime;
    },
    end: async (rate) => {
      video.playbackRate = rate;
      await until(() => video.ended || complaints.length > 0);
    },
    read: player.read,
    /** What the subtitles that were chosen say at the time given. */
    words: async (seconds) => {
      const tracks = () => [...video.textTracks].filter(({ mode }) => mode !== "disabled");
      const cues = () => tracks().flatMap((track) => [...(track.cues ?? [])]);
      await until(() => cues().length > 0);
      return cues()
        .filter(({ startTime, endTime }) => startTime <= seconds && seconds < endTime)
        .map(({ text }) => text);
    },
  };
}

window.openPlayer = async (url) => {
  window.player = await open(url);
  return window.player.heights;
};
