import { useId } from "react";
import type { JobStatus } from "../../api/types.ts";
import { Link } from "../../routing/link.tsx";
import { navigate } from "../../routing/location.ts";

interface Choice {
  readonly label: string;
  readonly statuses: readonly JobStatus[];
}

const CHOICES: readonly Choice[] = [
  { label: "All", statuses: [] },
  { label: "Active", statuses: ["queued", "running"] },
  { label: "Succeeded", statuses: ["succeeded"] },
  { label: "Partial", statuses: ["partial"] },
  { label: "Failed", statuses: ["failed"] },
  { label: "Cancelled", statuses: ["cancelled"] },
];

interface JobFilterProps {
  readonly statuses: readonly JobStatus[];
  readonly pipeline: string | undefined;
  readonly pipelines: readonly string[];
  /** How many jobs there are of each status; undefined while that is not known. */
  readonly counts: Readonly<Partial<Record<JobStatus, number>>> | undefined;
}

/** Chooses which jobs are listed. */
export function JobFilterBar({ statuses, pipeline, pipelines, counts }: JobFilterProps) {
  const choiceId = useId();
  const chosen = statuses.join(",");
  return (
    <div className="filter-bar">
      <nav aria-label="Jobs by status">
        <ul className="chips">
          {CHOICES.map((choice) => {
            const count = choice.statuses.reduce((sum, status) => sum + (counts?.[status] ?? 0), 0);
            return (
              <li key={choice.label}>
                <Link
                  to={jobsPath(choice.statuses, pipeline)}
                  className="chip"
                  current={choice.statuses.join(",") === chosen ? "true" : undefined}
                >
                  {choice.label}
                  {choice.statuses.length > 0 && counts !== undefined && <span className="chip-count">{count}</span>}
                </Link>
              </li>
            );
          })}
        </ul>
      </nav>
      {pipelines.length > 1 && (
        <div className="inline-field">
          <label htmlFor={choiceId}>Kind of job</label>
          <select
            id={choiceId}
            value={pipeline ?? ""}
            onChange={(event) => navigate(jobsPath(statuses, event.target.value || undefined))}
          >
            <option value="">All</option>
            {pipelines.map((name) => (
              <option key={name} value={name}>
                {name}
              </option>
            ))}
          </select>
        </div>
      )}
    </div>
  );
}

/** Reads which statuses an address asks for; what is no status is left out. */
export function readStatuses(text: string | null): readonly JobStatus[] {
  const known = CHOICES.flatMap((choice) => choice.statuses);
  return known.filter((status) => text?.split(",").includes(status));
}

/** Address of a list of jobs. */
export function jobsPath(statuses: readonly JobStatus[], pipeline?: string, cursor?: string): string {
  const query = new URLSearchParams();
  if (statuses.length > 0) query.set("status", statuses.join(","));
  if (pipeline !== undefined) query.set("pipeline", pipeline);
  if (cursor !== undefined) query.set("cursor", cursor);
  return query.size === 0 ? "/" : `/?${query}`;
}
