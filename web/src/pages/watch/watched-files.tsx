import type { WatchedFile, WatchView } from "../../api/types.ts";
import { useApi } from "../../auth/api-context.ts";
import type { Action } from "../../live/use-action.ts";
import { useAnnounce } from "../../ui/announcer.tsx";
import { Button } from "../../ui/button.tsx";
import { DataTable } from "../../ui/data-table.tsx";
import { Empty } from "../../ui/empty.tsx";
import { formatBytes, formatShare, showMessage } from "../../ui/formats.ts";
import { Name } from "../../ui/name.tsx";
import { ProgressBar } from "../../ui/progress-bar.tsx";
import { StatusBadge } from "../../ui/status-badge.tsx";

/** States from which a repair can be asked for at once; the others are in hand already, need none, or left the folder. */
const IDLE_STATES: ReadonlySet<string> = new Set(["growing", "stable", "waiting-for-reference"]);

interface WatchedFilesProps {
  readonly watch: WatchView;
  readonly action: Action;
  readonly onChanged: () => void;
}

/** The files that the watch folder knows. */
export function WatchedFiles({ watch, action, onChanged }: WatchedFilesProps) {
  const api = useApi();
  const announce = useAnnounce();
  const repair = (name: string): void =>
    void action.run(async () => {
      await api.repairWatched(name);
      announce(`${name} will be repaired.`);
      onChanged();
    });
  if (watch.files.length === 0) {
    return (
      <Empty title="The folder is empty">
        <p className="muted">Recordings that are put into it show up here.</p>
      </Empty>
    );
  }
  return (
    <DataTable
      caption="Files in the watch folder"
      columns={["File", { title: "Size", isNumber: true }, "State", "Progress", "Action"]}
    >
      {watch.files.map((file) => (
        <tr key={file.name}>
          <td className="cell-name">
            <Name text={file.name} />
          </td>
          <td className="number">{formatBytes(file.bytes)}</td>
          <td>
            <StatusBadge status={file.state} />
          </td>
          <td className="cell-progress">
            <FileProgress file={file} />
          </td>
          <td>
            {IDLE_STATES.has(file.state) && (
              <Button label={`Repair ${file.name} now`} isBusy={action.isBusy} onClick={() => repair(file.name)}>
                Repair now
              </Button>
            )}
          </td>
        </tr>
      ))}
    </DataTable>
  );
}

function FileProgress({ file }: { readonly file: WatchedFile }) {
  return (
    <>
      {file.progress !== null && <ProgressBar share={file.progress} label={`Repair of ${file.name}`} />}
      <span className="muted">
        {file.progress !== null && formatShare(file.progress)}
        {file.progress !== null && file.detail !== null && " · "}
        {file.detail !== null && <bdi className="name">{showMessage(file.detail)}</bdi>}
        {file.detail === null && file.state === "growing" && "Taken once it no longer changes"}
      </span>
    </>
  );
}
