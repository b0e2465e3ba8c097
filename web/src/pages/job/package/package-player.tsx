import { useRef, useState } from "react";
import { Button } from "../../../ui/button.tsx";
import { formatClock } from "../../../ui/formats.ts";
import { Icon } from "../../../ui/icon.tsx";
import { ChoiceMenu } from "./choice-menu.tsx";
import type { Thumbnail } from "./read-thumbnails.ts";
import { SeekBar } from "./seek-bar.tsx";
import { useEngine } from "./use-engine.ts";

interface PackagePlayerProps {
  /** Of the multivariant playlist. */
  readonly url: string;
  readonly posterUrl: string | undefined;
  readonly durationSeconds: number;
  readonly thumbnails: readonly Thumbnail[];
}

/** Plays a package: as adaptive as it is, or with the rung, the sound and the subtitles that one chooses. */
export function PackagePlayer({ url, posterUrl, durationSeconds, thumbnails }: PackagePlayerProps) {
  const frame = useRef<HTMLDivElement>(null);
  const video = useRef<HTMLVideoElement>(null);
  const { state, choose, seek } = useEngine(video, url);
  const [seconds, setSeconds] = useState(0);
  const [isPaused, setIsPaused] = useState(true);
  const [isMuted, setIsMuted] = useState(false);
  if (state.kind === "failed") return <Refusal why={state.failure ?? "unknown"} />;
  const toggle = (): void => {
    if (video.current === null) return;
    // Where it cannot be played the engine tells; play() that is interrupted by a pause is no fault.
    if (video.current.paused) video.current.play().catch(() => setIsPaused(true));
    else video.current.pause();
  };
  const follow = (): void => setSeconds(video.current?.currentTime ?? 0);
  const { quality, sound, subtitles } = state.menus;
  return (
    <div className="package-player" ref={frame}>
      {/* biome-ignore lint/a11y/useMediaCaption: subtitles are those of the package, by hls.js. */}
      <video
        ref={video}
        className="player"
        aria-label="The package"
        poster={posterUrl}
        playsInline
        onClick={toggle}
        onTimeUpdate={follow}
        onSeeking={follow}
        onPlay={() => setIsPaused(false)}
        onPause={() => setIsPaused(true)}
        onVolumeChange={() => setIsMuted(video.current?.muted === true)}
      />
      <div className="player-bar">
        <Button kind="quiet" icon={isPaused ? "play" : "pause"} label={isPaused ? "Play" : "Pause"} onClick={toggle} />
        <SeekBar
          seconds={seconds}
          durationSeconds={durationSeconds}
          thumbnails={thumbnails}
          onSeek={(wanted) => {
            setSeconds(wanted);
            seek(wanted);
          }}
        />
        <span className="number muted">
          {formatClock(seconds)} / {formatClock(Math.round(durationSeconds))}
        </span>
        <Button
          kind="quiet"
          icon={isMuted ? "muted" : "sound"}
          label={isMuted ? "Sound on" : "Mute"}
          onClick={() => {
            if (video.current !== null) video.current.muted = !video.current.muted;
          }}
        />
        <Button
          kind="quiet"
          icon="fullscreen"
          label="Full screen"
          onClick={() => void toggleFullscreen(frame.current, video.current)}
        />
      </div>
      <div className="player-menus">
        <ChoiceMenu label="Quality" choices={quality} onChoose={(id) => choose("quality", id)} />
        <ChoiceMenu label="Sound" choices={sound} onChoose={(id) => choose("sound", id)} />
        <ChoiceMenu label="Subtitles" choices={subtitles} onChoose={(id) => choose("subtitles", id)} />
        {state.playing !== null && <span className="muted">Playing {state.playing}</span>}
      </div>
    </div>
  );
}

function Refusal({ why }: { readonly why: string }) {
  return (
    <p className="note" role="alert">
      <Icon name="info" />
      <span>
        This browser cannot play the package. <code className="code">{why}</code>
      </span>
    </p>
  );
}

/** The whole player with its bar; on phones, whose browsers let videos alone be that large, the video. */
async function toggleFullscreen(frame: HTMLElement | null, video: HTMLVideoElement | null): Promise<void> {
  if (document.fullscreenElement !== null) return await document.exitFullscreen();
  if (frame?.requestFullscreen !== undefined) return await frame.requestFullscreen();
  (video as { readonly webkitEnterFullscreen?: () => void } | null)?.webkitEnterFullscreen?.();
}
