import { type PointerEvent, useState } from "react";
import { formatClock } from "../../../ui/formats.ts";
import { type Thumbnail, thumbnailAt } from "./read-thumbnails.ts";

interface SeekBarProps {
  readonly seconds: number;
  readonly durationSeconds: number;
  readonly thumbnails: readonly Thumbnail[];
  readonly onSeek: (seconds: number) => void;
}

const STEP_SECONDS = 0.1;

/** Where in the recording it plays; shows the pictures of other places before one goes there. */
export function SeekBar({ seconds, durationSeconds, thumbnails, onSeek }: SeekBarProps) {
  const [shownSeconds, setShownSeconds] = useState<number | null>(null);
  const hide = (): void => setShownSeconds(null);
  const show = (event: PointerEvent<HTMLElement>): void => {
    const { left, width } = event.currentTarget.getBoundingClientRect();
    const share = width > 0 ? (event.clientX - left) / width : 0;
    setShownSeconds(durationSeconds * Math.min(1, Math.max(0, share)));
  };
  return (
    <div className="seek" onPointerMove={show} onPointerLeave={hide} onPointerCancel={hide}>
      {shownSeconds !== null && (
        <Preview
          seconds={shownSeconds}
          share={durationSeconds > 0 ? shownSeconds / durationSeconds : 0}
          thumbnail={thumbnailAt(thumbnails, shownSeconds)}
        />
      )}
      <input
        type="range"
        aria-label="Place in the recording"
        aria-valuetext={`${formatClock(seconds)} of ${formatClock(durationSeconds)}`}
        min={0}
        max={durationSeconds}
        step={STEP_SECONDS}
        value={Math.min(seconds, durationSeconds)}
        onChange={(event) => {
          const wanted = Number(event.target.value);
          setShownSeconds(wanted);
          onSeek(wanted);
        }}
        onBlur={hide}
      />
    </div>
  );
}

interface PreviewProps {
  readonly seconds: number;
  /** Of the bar's width. */
  readonly share: number;
  readonly thumbnail: Thumbnail | undefined;
}

function Preview({ seconds, share, thumbnail }: PreviewProps) {
  const half = `${(thumbnail?.widthPixels ?? 0) / 2 + 4}px`;
  return (
    <span
      className="seek-preview"
      aria-hidden="true"
      style={{ insetInlineStart: `clamp(${half}, ${share * 100}%, calc(100% - ${half}))` }}
    >
      {thumbnail !== undefined && (
        <span
          className="seek-thumbnail"
          style={{
            inlineSize: thumbnail.widthPixels,
            blockSize: thumbnail.heightPixels,
            backgroundImage: `url("${thumbnail.sheetUrl}")`,
            backgroundPosition: `-${thumbnail.x}px -${thumbnail.y}px`,
          }}
        />
      )}
      <span className="number">{formatClock(seconds)}</span>
    </span>
  );
}
