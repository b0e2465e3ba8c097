import { useState } from "react";
import type { EventView, Json } from "../../api/types.ts";
import type { Loaded } from "../../live/use-loaded.ts";
import { Button } from "../../ui/button.tsx";
import { ErrorNote } from "../../ui/error-note.tsx";
import { formatMoment, showName, showWords } from "../../ui/formats.ts";
import { Section } from "../../ui/section.tsx";

const SHOWN_FIRST = 12;

/** What happened, the newest first. */
export function EventList({ events }: { readonly events: Loaded<readonly EventView[]> }) {
  const [isAll, setIsAll] = useState(false);
  const newest = (events.data ?? []).toReversed();
  const shown = isAll ? newest : newest.slice(0, SHOWN_FIRST);
  return (
    <Section title="Events">
      {events.error !== undefined && <ErrorNote error={events.error} title="The events are not up to date" />}
      <ol className="timeline card">
        {shown.map((event) => (
          <li key={event.seq}>
            <time dateTime={event.at}>{formatMoment(event.at).slice(11)}</time>
            <span>{showWords(event.type === "job.stage" ? "job.step" : event.type)}</span>
            <span className="muted">{summarize(event.data)}</span>
          </li>
        ))}
      </ol>
      {shown.length < newest.length && (
        <Button kind="quiet" onClick={() => setIsAll(true)}>
          Show all {newest.length} events
        </Button>
      )}
    </Section>
  );
}

/** The plain values of an event, in one line. */
function summarize(data: Json): string {
  if (typeof data !== "object" || data === null) return data === null ? "" : showName(String(data));
  return Object.entries(data)
    .filter(([, value]) => value !== null)
    .map(([name, value]) => showValue(name, value))
    .join(" · ");
}

/** In the words of the rest of the page: steps, and tasks counted from 1. */
function showValue(name: string, value: Json): string {
  if (name === "stage" && typeof value === "string") return `step ${showWords(value)}`;
  if (name === "index" && typeof value === "number") return `task ${value + 1}`;
  return `${showWords(name).toLowerCase()} ${showName(typeof value === "object" ? JSON.stringify(value) : String(value))}`;
}
