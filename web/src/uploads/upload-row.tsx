import { useId } from "react";
import { Button } from "../ui/button.tsx";
import { formatBytes, formatShare } from "../ui/formats.ts";
import { Name } from "../ui/name.tsx";
import { ProgressBar } from "../ui/progress-bar.tsx";
import { StatusBadge } from "../ui/status-badge.tsx";
import type { UploadItem } from "./upload.ts";
import type { UploadStore } from "./upload-store.ts";

/** What a file can be for the pipeline: a parameter, and what to call a file in it. */
export interface Role {
  readonly name: string;
  readonly label: string;
}

interface UploadRowProps {
  readonly item: UploadItem;
  readonly store: UploadStore;
  /** What the file can be; none: that is settled. */
  readonly roles?: readonly Role[];
  readonly role?: string | null;
}

/** One file: how far it is, what can be done with it, and what it is for. */
export function UploadRow({ item, store, roles = [], role = null }: UploadRowProps) {
  const share = item.bytes === 0 ? 1 : item.sentBytes / item.bytes;
  const look = item.state === "failed" ? "failed" : item.state === "done" ? "succeeded" : "running";
  return (
    <li className="upload-row">
      <div className="upload-name">
        <Name text={item.name} />
        <span className="muted number">
          {item.state === "done" ? formatBytes(item.bytes) : `${formatShare(share)} of ${formatBytes(item.bytes)}`}
        </span>
      </div>
      <ProgressBar share={share} label={`Upload of ${item.name}`} look={look} />
      <div className="upload-controls">
        <StatusBadge status={item.state} label={item.state === "done" ? "Uploaded" : undefined} />
        {roles.length > 1 && <RoleChoice item={item} store={store} roles={roles} role={role} />}
        <span className="spacer" />
        <UploadButtons item={item} store={store} />
      </div>
      {item.message !== null && (
        <p className="field-error" role="alert">
          {item.message}
        </p>
      )}
    </li>
  );
}

function RoleChoice({ item, store, roles, role }: Required<UploadRowProps>) {
  const choiceId = useId();
  return (
    <>
      <label className="visually-hidden" htmlFor={choiceId}>
        What {item.name} is
      </label>
      <select id={choiceId} value={role ?? ""} onChange={(event) => store.setRole(item.id, event.target.value)}>
        {roles.map(({ name, label }) => (
          <option key={name} value={name}>
            {label}
          </option>
        ))}
      </select>
    </>
  );
}

function UploadButtons({ item, store }: Pick<UploadRowProps, "item" | "store">) {
  const { id, name, state } = item;
  return (
    <>
      {(state === "sending" || state === "waiting") && (
        <Button kind="quiet" icon="pause" label={`Pause the upload of ${name}`} onClick={() => store.pause(id)} />
      )}
      {(state === "paused" || state === "failed") && (
        <Button kind="quiet" icon="play" label={`Go on with the upload of ${name}`} onClick={() => store.resume(id)} />
      )}
      <Button
        kind="quiet"
        icon={state === "done" ? "failed" : "stop"}
        label={state === "done" ? `Take ${name} off the list` : `Cancel the upload of ${name}`}
        onClick={() => store.remove(id)}
      />
    </>
  );
}
