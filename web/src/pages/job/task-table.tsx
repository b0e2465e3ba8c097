import type { TaskView } from "../../api/types.ts";
import type { Loaded } from "../../live/use-loaded.ts";
import { DataTable } from "../../ui/data-table.tsx";
import { ErrorNote } from "../../ui/error-note.tsx";
import { formatSeconds, formatShare, showMessage, showWords } from "../../ui/formats.ts";
import { Name } from "../../ui/name.tsx";
import { ProgressBar } from "../../ui/progress-bar.tsx";
import { Section } from "../../ui/section.tsx";
import { StatusBadge } from "../../ui/status-badge.tsx";

interface TaskTableProps {
  readonly tasks: Loaded<readonly TaskView[]>;
  readonly nowMs: number;
}

/** The parts of a job. */
export function TaskTable({ tasks, nowMs }: TaskTableProps) {
  return (
    <Section title="Tasks">
      {tasks.error !== undefined && <ErrorNote error={tasks.error} title="The tasks are not up to date" />}
      {tasks.data?.length === 0 && <p className="muted">The job is not planned yet.</p>}
      {tasks.data !== undefined && tasks.data.length > 0 && (
        <DataTable
          caption="Tasks"
          columns={[
            "Step",
            "Task",
            "Status",
            "Progress",
            { title: "Attempt", isNumber: true },
            { title: "Time", isNumber: true },
          ]}
        >
          {tasks.data.map((task) => (
            <TaskRow key={`${task.stage} ${task.index}`} task={task} nowMs={nowMs} />
          ))}
        </DataTable>
      )}
    </Section>
  );
}

function TaskRow({ task, nowMs }: { readonly task: TaskView; readonly nowMs: number }) {
  const endMs = task.finishedAt === null ? nowMs : Date.parse(task.finishedAt);
  return (
    <tr>
      <td>{showWords(task.stage)}</td>
      <td className="cell-name">
        <Name text={task.label} />
        {task.error !== null && (
          <p className={task.status === "failed" ? "look-failed-text" : "muted"}>
            {task.status !== "failed" && "An earlier attempt: "}
            <bdi>{showMessage(task.error.message)}</bdi> <code className="code">{task.error.code}</code>
          </p>
        )}
      </td>
      <td>
        <StatusBadge status={task.status} />
      </td>
      <td className="cell-progress">
        {task.status === "running" ? (
          <>
            <ProgressBar share={task.progress} label={`Progress of ${task.label}`} />
            <span className="muted">
              {formatShare(task.progress)} · <Name text={task.phase} />
            </span>
          </>
        ) : (
          <span className="muted">{task.status === "succeeded" ? "done" : "–"}</span>
        )}
      </td>
      <td className="number">
        {task.attempt}
        {task.failures > 0 && <span className="muted"> ({task.failures} failed)</span>}
      </td>
      <td className="number">
        {task.startedAt === null ? "–" : formatSeconds(Math.max(0, endMs - Date.parse(task.startedAt)) / 1000)}
      </td>
    </tr>
  );
}
