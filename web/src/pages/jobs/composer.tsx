import { useState } from "react";
import type { PipelineView } from "../../api/types.ts";
import type { Loaded } from "../../live/use-loaded.ts";
import { Button } from "../../ui/button.tsx";
import { ErrorNote } from "../../ui/error-note.tsx";
import { Section } from "../../ui/section.tsx";
import { BrokenUploads } from "../../uploads/broken-uploads.tsx";
import { DropZone } from "../../uploads/drop-zone.tsx";
import { useUploads } from "../../uploads/uploads-context.tsx";
import { NewJobForm } from "./new-job-form.tsx";

/** Takes files and makes a job of them. */
export function Composer({ pipelines }: { readonly pipelines: Loaded<readonly PipelineView[]> }) {
  const { items, store } = useUploads();
  const [isAsked, setIsAsked] = useState(false);
  const isOpen = isAsked || items.length > 0;
  return (
    <Section title="New job">
      <div className="stack">
        <DropZone onFiles={(files) => store.add(files)}>
          {!isOpen && (
            <Button kind="quiet" onClick={() => setIsAsked(true)}>
              Show the form
            </Button>
          )}
        </DropZone>
        <BrokenUploads store={store} />
        {pipelines.error !== undefined && <ErrorNote error={pipelines.error} title="What can be done is not known" />}
        {isOpen && pipelines.data !== undefined && (
          <div className="card">
            <NewJobForm pipelines={pipelines.data} />
          </div>
        )}
      </div>
    </Section>
  );
}
