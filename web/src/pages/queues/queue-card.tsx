import type { QueueView } from "../../api/types.ts";
import { Button } from "../../ui/button.tsx";
import { formatExact } from "../../ui/formats.ts";
import { Moment } from "../../ui/moment.tsx";
import { Name } from "../../ui/name.tsx";
import { StatusBadge } from "../../ui/status-badge.tsx";

interface QueueCardProps {
  readonly queue: QueueView;
  readonly nowMs: number;
  readonly isBusy: boolean;
  readonly onChange: (wanted: "pause" | "resume") => void;
}

/** One queue: how much waits in it, and whether it is worked. */
export function QueueCard({ queue, nowMs, isBusy, onChange }: QueueCardProps) {
  const { queue: name, waiting, inFlight, dead, isPaused, oldestSentAt } = queue;
  return (
    <li className="card stack">
      <div className="file-heading">
        <h2>
          <Name text={name} />
        </h2>
        <StatusBadge status={isPaused ? "paused" : "succeeded"} label={isPaused ? "Paused" : "Open"} />
        <span className="spacer" />
        <Button
          icon={isPaused ? "play" : "pause"}
          isBusy={isBusy}
          label={`${isPaused ? "Resume" : "Pause"} queue ${name}`}
          onClick={() => onChange(isPaused ? "resume" : "pause")}
        >
          {isPaused ? "Resume" : "Pause"}
        </Button>
      </div>
      <dl className="figures">
        <div>
          <dt>Waiting</dt>
          <dd>{formatExact(waiting)}</dd>
        </div>
        <div>
          <dt>In flight</dt>
          <dd>{formatExact(inFlight)}</dd>
        </div>
        <div className={dead > 0 ? "look-failed-text" : undefined}>
          <dt>Dead</dt>
          <dd>{formatExact(dead)}</dd>
        </div>
      </dl>
      <p className="muted">
        {oldestSentAt === null ? (
          "Nothing waits."
        ) : (
          <>
            Oldest sent <Moment at={oldestSentAt} nowMs={nowMs} />
          </>
        )}
      </p>
    </li>
  );
}
