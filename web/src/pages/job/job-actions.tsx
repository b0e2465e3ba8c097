import { useState } from "react";
import type { JobView } from "../../api/types.ts";
import { useApi } from "../../auth/api-context.ts";
import { useAction } from "../../live/use-action.ts";
import { navigate } from "../../routing/location.ts";
import { jobPath } from "../../routing/routes.ts";
import { Button } from "../../ui/button.tsx";
import { ConfirmDialog } from "../../ui/confirm-dialog.tsx";
import { isEnded } from "../jobs/job-title.ts";
import { needsReference } from "./reference-need.ts";

type Change = "cancel" | "retry" | "replay";

const QUESTIONS = {
  cancel: {
    title: "Cancel this job?",
    text: "What is under way stops. What is already finished is kept; nothing half-written stays.",
    confirm: "Cancel the job",
  },
  retry: {
    title: "Retry this job?",
    text: "It starts again where it failed. Tasks that succeeded are not worked again.",
    confirm: "Retry",
  },
  replay: {
    title: "Replay this job?",
    text: "A new job with the same parameters starts from the beginning. This one stays as it is.",
    confirm: "Replay as a new job",
  },
} as const;

const SAME_AGAIN =
  "It failed for want of a healthy recording that fits, and will most likely do so again: give one on the job's page instead.";

interface JobActionsProps {
  readonly job: JobView;
  readonly onChanged: () => void;
}

/** What can be done with a job; each is asked about first. */
export function JobActions({ job, onChanged }: JobActionsProps) {
  const api = useApi();
  const action = useAction();
  const [asked, setAsked] = useState<Change | null>(null);
  const hasFailed = job.status === "failed" || job.status === "partial" || job.status === "cancelled";
  // The same without another recording is offered, but not as what to do.
  const lacksReference = needsReference(job);
  const confirm = async (change: Change): Promise<void> => {
    const isDone = await action.run(async () => {
      const changed = await api.changeJob(job.id, change);
      if (change === "replay") navigate(jobPath(changed.id));
      else onChanged();
    });
    if (isDone) setAsked(null);
  };
  return (
    <>
      {!isEnded(job.status) && (
        <Button icon="stop" onClick={() => setAsked("cancel")}>
          Cancel
        </Button>
      )}
      {hasFailed && (
        <Button kind={lacksReference ? "plain" : "primary"} icon="retry" onClick={() => setAsked("retry")}>
          Retry
        </Button>
      )}
      {isEnded(job.status) && (
        <Button icon="play" onClick={() => setAsked("replay")}>
          Replay
        </Button>
      )}
      {asked !== null && (
        <ConfirmDialog
          title={QUESTIONS[asked].title}
          confirmLabel={QUESTIONS[asked].confirm}
          kind={asked === "cancel" ? "danger" : "primary"}
          isBusy={action.isBusy}
          error={action.error}
          onConfirm={() => void confirm(asked)}
          onClose={() => setAsked(null)}
        >
          <p>{QUESTIONS[asked].text}</p>
          {lacksReference && <p>{SAME_AGAIN}</p>}
        </ConfirmDialog>
      )}
    </>
  );
}
