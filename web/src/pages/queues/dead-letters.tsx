import { useState } from "react";
import type { DeadLetterView } from "../../api/types.ts";
import { Link } from "../../routing/link.tsx";
import { jobPath } from "../../routing/routes.ts";
import { Button } from "../../ui/button.tsx";
import { DataTable } from "../../ui/data-table.tsx";
import { Empty } from "../../ui/empty.tsx";
import { showMessage } from "../../ui/formats.ts";
import { Moment } from "../../ui/moment.tsx";
import { Name } from "../../ui/name.tsx";
import { type LetterChange, LetterDialog } from "./letter-dialog.tsx";

interface DeadLettersProps {
  readonly letters: readonly DeadLetterView[];
  readonly nowMs: number;
  readonly onChanged: () => void;
}

/** The messages that were given up, and what can be done with them. */
export function DeadLetters({ letters, nowMs, onChanged }: DeadLettersProps) {
  const [change, setChange] = useState<LetterChange | null>(null);
  const queues = [...new Set(letters.map(({ queue }) => queue))];
  return (
    <>
      {letters.length === 0 ? (
        <Empty title="No dead letters" />
      ) : (
        <>
          <div className="actions">
            {queues.length > 1 && (
              <Button
                icon="retry"
                onClick={() => setChange({ kind: "replay-all", queue: null, count: letters.length })}
              >
                Replay all
              </Button>
            )}
            {queues.map((queue) => {
              const count = letters.filter((letter) => letter.queue === queue).length;
              return (
                <Button key={queue} icon="retry" onClick={() => setChange({ kind: "replay-all", queue, count })}>
                  Replay all of {queue}
                </Button>
              );
            })}
          </div>
          <DataTable caption="Dead letters" columns={["Queue", "Task", "Reason", "Tries", "Given up", "Actions"]}>
            {letters.map((letter) => (
              <LetterRow key={letter.id} letter={letter} nowMs={nowMs} onChange={setChange} />
            ))}
          </DataTable>
        </>
      )}
      {change !== null && <LetterDialog change={change} onChanged={onChanged} onClose={() => setChange(null)} />}
    </>
  );
}

interface LetterRowProps {
  readonly letter: DeadLetterView;
  readonly nowMs: number;
  readonly onChange: (change: LetterChange) => void;
}

function LetterRow({ letter, nowMs, onChange }: LetterRowProps) {
  const task = `${letter.stage} ${letter.index}`;
  const job = `job ${letter.jobId.slice(-8)}`;
  const what = `${task} of ${job}`;
  return (
    <tr>
      <td>
        <Name text={letter.queue} />
      </td>
      <td>
        {task} of <Link to={jobPath(letter.jobId)}>{job}</Link>
      </td>
      <td className="cell-name">
        <bdi>{showMessage(letter.reason.message)}</bdi> <code className="code">{letter.reason.code}</code>
      </td>
      <td>{letter.receiveCount}</td>
      <td>
        <Moment at={letter.deadAt} nowMs={nowMs} />
      </td>
      <td>
        <div className="actions actions-tight">
          <Button
            kind="quiet"
            icon="info"
            label={`Inspect ${what}`}
            onClick={() => onChange({ kind: "inspect", letter })}
          />
          <Button
            kind="quiet"
            icon="retry"
            label={`Replay ${what}`}
            onClick={() => onChange({ kind: "replay", letter })}
          />
          <Button
            kind="quiet"
            icon="trash"
            label={`Discard ${what}`}
            onClick={() => onChange({ kind: "discard", letter })}
          />
        </div>
      </td>
    </tr>
  );
}
