import type { TrackReport } from "../../api/repair-types.ts";
import { formatBytes, formatCount, formatSeconds, formatShare } from "../../ui/formats.ts";
import { Name } from "../../ui/name.tsx";

const KIND_LABELS = { video: "Video", audio: "Audio", other: "Metadata" } as const;

/** What one packet of a track is to who looks and listens. */
const PIECES = {
  video: { one: "picture", many: "pictures" },
  audio: { one: "piece of sound", many: "pieces of sound" },
  other: { one: "entry", many: "entries" },
} as const;

/** What the recovered bytes are, in proportion; the report does not say where each track's bytes lie. */
export function TrackShares({ tracks }: { readonly tracks: readonly TrackReport[] }) {
  const total = tracks.reduce((sum, { bytes }) => sum + bytes, 0);
  if (total === 0) return null;
  return (
    <figure className="strip-figure">
      <div className="shares" aria-hidden="true">
        {tracks.map(({ trackId, kind, bytes }) => (
          <span key={trackId} className={`share kind-${kind}`} style={{ flexGrow: bytes / total }} />
        ))}
      </div>
      <figcaption>
        <ul className="legend legend-tracks" aria-label="Recovered tracks">
          {tracks.map((track) => (
            <li key={track.trackId}>
              <span className={`swatch kind-${track.kind}`} />
              <span>
                {KIND_LABELS[track.kind]} <Name text={track.codec} />{" "}
                <span className="muted">
                  {formatSeconds(track.durationSeconds)} ·{" "}
                  {formatCount(track.packets, PIECES[track.kind].one, PIECES[track.kind].many)} ·{" "}
                  {formatBytes(track.bytes)} ({formatShare(track.bytes / total)})
                </span>
              </span>
            </li>
          ))}
        </ul>
      </figcaption>
    </figure>
  );
}
