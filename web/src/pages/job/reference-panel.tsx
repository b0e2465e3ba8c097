import { useEffect, useEffectEvent, useMemo, useRef } from "react";
import type { JobView } from "../../api/types.ts";
import { useApi } from "../../auth/api-context.ts";
import { useAction } from "../../live/use-action.ts";
import { useLoaded } from "../../live/use-loaded.ts";
import { navigate } from "../../routing/location.ts";
import { jobPath } from "../../routing/routes.ts";
import { useAnnounce } from "../../ui/announcer.tsx";
import { Button } from "../../ui/button.tsx";
import { ErrorNote } from "../../ui/error-note.tsx";
import { Section } from "../../ui/section.tsx";
import { BrokenUploads } from "../../uploads/broken-uploads.tsx";
import { FileChooser } from "../../uploads/file-chooser.tsx";
import type { UploadItem } from "../../uploads/upload.ts";
import { UploadRow } from "../../uploads/upload-row.tsx";
import { useUploads } from "../../uploads/uploads-context.tsx";
import { takesReferences, withReference } from "./reference-need.ts";

/** Offers to give a healthy recording to a job that failed for want of one, where its pipeline takes any. */
export function ReferencePanel({ job }: { readonly job: JobView }) {
  const api = useApi();
  const pipelines = useLoaded(api.listPipelines, "pipelines", null);
  const schema = pipelines.data?.find(({ name }) => name === job.pipeline)?.paramsSchema;
  const isTaken = useMemo(() => schema !== undefined && takesReferences(schema), [schema]);
  if (pipelines.error !== undefined) {
    return <ErrorNote error={pipelines.error} title="A healthy recording cannot be given now" />;
  }
  return isTaken ? <ReferenceUpload job={job} /> : null;
}

/** Uploads one file and starts the job anew with it. */
function ReferenceUpload({ job }: { readonly job: JobView }) {
  const announce = useAnnounce();
  const { items, store } = useUploads(job.id);
  const item = items.at(-1);
  const restart = useRestart(job, item);
  const panel = useRef<HTMLDivElement>(null);
  const take = ([file]: readonly File[]): void => {
    if (file === undefined) return;
    store.add([file], job.id);
    // The button that had the focus goes.
    panel.current?.focus();
    announce(`${file.name} is being uploaded. The new job starts by itself.`);
  };
  return (
    <Section title="Give a healthy recording by the same camera">
      <div className="card stack" ref={panel} tabIndex={-1}>
        <p>
          Any recording that plays, made by the same camera with the same settings; a few seconds are enough. Once it is
          uploaded, a new job starts with it and the same files.
        </p>
        {item === undefined ? (
          <div className="actions">
            <FileChooser label="Choose a healthy recording" isMultiple={false} isPrimary onFiles={take} />
          </div>
        ) : (
          <ul className="upload-list" aria-label="Healthy recording">
            <UploadRow item={item} store={store} />
          </ul>
        )}
        <BrokenUploads store={store} />
        {restart.error !== null && <ErrorNote error={restart.error} title="The new job was not started" />}
        {item?.state === "done" && (
          <div className="actions">
            <Button kind="primary" isBusy={restart.isBusy} onClick={restart.start}>
              Start the new job
            </Button>
          </div>
        )}
      </div>
    </Section>
  );
}

interface Restart {
  readonly isBusy: boolean;
  readonly error: { readonly code: string; readonly message: string } | null;
  readonly start: () => void;
}

/** Starts the job anew, by itself where the upload ends before the user's eyes. */
function useRestart(job: JobView, item: UploadItem | undefined): Restart {
  const api = useApi();
  const { store } = useUploads(job.id);
  const action = useAction();
  const seenUnderWay = useRef<string | null>(null);
  const start = (): void => {
    if (item === undefined || item.key === null) return;
    const { id, key } = item;
    void action.run(async () => {
      // Named after the upload: sending it again after a broken connection makes no second job.
      const created = await api.createJob(withReference(job, key), `reference-${id}`);
      store.remove(id);
      navigate(jobPath(created.id));
    });
  };
  const startUnasked = useEffectEvent(start);
  const [id, state] = [item?.id, item?.state];
  useEffect(() => {
    if (id === undefined) return;
    if (state !== "done") {
      seenUnderWay.current = id;
    } else if (seenUnderWay.current === id) {
      seenUnderWay.current = null;
      startUnasked();
    }
  }, [id, state]);
  return { isBusy: action.isBusy, error: action.error, start };
}
