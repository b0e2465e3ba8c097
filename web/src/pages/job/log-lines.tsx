import { useId, useState } from "react";
import { useApi } from "../../auth/api-context.ts";
import { useLoaded } from "../../live/use-loaded.ts";
import { ErrorNote } from "../../ui/error-note.tsx";
import { formatMoment, showName } from "../../ui/formats.ts";
import { Section } from "../../ui/section.tsx";

const REFRESH_MS = 4_000;
const LEVELS: readonly string[] = ["trace", "debug", "info", "warn", "error", "fatal"];

interface LogLinesProps {
  readonly jobId: string;
  readonly isEnded: boolean;
}

/** What all parts of the system wrote about a job, in the order of time. */
export function LogLines({ jobId, isEnded }: LogLinesProps) {
  const api = useApi();
  const levelId = useId();
  const [least, setLeast] = useState<string>("info");
  const logs = useLoaded((signal) => api.listLogs(jobId, signal), `${jobId} ${isEnded}`, isEnded ? null : REFRESH_MS);
  const rank = (level: string): number => LEVELS.indexOf(level.toLowerCase());
  // A level that is not known is shown rather than hidden.
  const lines = (logs.data ?? []).filter(({ level }) => rank(level) === -1 || rank(level) >= rank(least));
  return (
    <Section
      title="Log"
      actions={
        <div className="inline-field">
          <label htmlFor={levelId}>From level</label>
          <select id={levelId} value={least} onChange={(event) => setLeast(event.target.value)}>
            {LEVELS.map((level) => (
              <option key={level}>{level}</option>
            ))}
          </select>
        </div>
      }
    >
      {logs.error !== undefined && <ErrorNote error={logs.error} title="The log is not up to date" />}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard. */}
      <section className="log" aria-label="Log lines" tabIndex={0}>
        {lines.length === 0 && <p>No lines.</p>}
        {lines.map(({ timestamp, level, message }, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: lines have no name of their own, and only come at the end.
          <div key={index} className={`log-line log-${level.toLowerCase()}`}>
            <time dateTime={timestamp}>{formatMoment(timestamp).slice(11)}</time>
            <span className="log-level">{level}</span>
            <span className="log-message">{showName(message)}</span>
          </div>
        ))}
      </section>
    </Section>
  );
}
