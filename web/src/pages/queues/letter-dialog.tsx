import type { Api } from "../../api/api.ts";
import type { DeadLetterView } from "../../api/types.ts";
import { useApi } from "../../auth/api-context.ts";
import { useAction } from "../../live/use-action.ts";
import { Link } from "../../routing/link.tsx";
import { jobPath } from "../../routing/routes.ts";
import { useAnnounce } from "../../ui/announcer.tsx";
import { ConfirmDialog } from "../../ui/confirm-dialog.tsx";
import { Facts } from "../../ui/facts.tsx";
import { formatCount, formatMoment } from "../../ui/formats.ts";
import { Name } from "../../ui/name.tsx";

/** What the user is about to do with dead letters. */
export type LetterChange =
  | { readonly kind: "inspect" | "replay" | "discard"; readonly letter: DeadLetterView }
  /** Of one queue; null: of all. */
  | { readonly kind: "replay-all"; readonly queue: string | null; readonly count: number };

const TITLES = {
  inspect: "Dead letter",
  replay: "Replay this message?",
  discard: "Discard this message for good?",
  "replay-all": "Replay all messages?",
} as const;

interface LetterDialogProps {
  readonly change: LetterChange;
  readonly onChanged: () => void;
  readonly onClose: () => void;
}

/** Shows dead letters, and asks before anything is done with them. */
export function LetterDialog({ change, onChanged, onClose }: LetterDialogProps) {
  const api = useApi();
  const announce = useAnnounce();
  const action = useAction();
  const confirm = async (): Promise<void> => {
    const isDone = await action.run(async () => announce(await apply(api, change)));
    if (!isDone) return;
    onClose();
    onChanged();
  };
  return (
    <ConfirmDialog
      title={TITLES[change.kind]}
      confirmLabel={change.kind === "discard" ? "Discard" : "Replay"}
      kind={change.kind === "discard" ? "danger" : "primary"}
      isBusy={action.isBusy}
      error={action.error}
      onConfirm={() => void confirm()}
      onClose={onClose}
    >
      {change.kind === "replay-all" ? (
        <p>
          {formatCount(change.count, "message goes", "messages go")} back into{" "}
          {change.queue === null ? "their queues" : <Name text={change.queue} />} and{" "}
          {change.count === 1 ? "is" : "are"} tried again.
        </p>
      ) : (
        <LetterFacts letter={change.letter} />
      )}
      {change.kind === "discard" && <p>The task fails with it. This cannot be undone.</p>}
    </ConfirmDialog>
  );
}

/** Does it; what to say then. */
async function apply(api: Api, change: LetterChange): Promise<string> {
  switch (change.kind) {
    case "replay-all":
      return `${formatCount(await api.replayDeadLetters(change.queue), "message")} put back`;
    case "discard":
      await api.discardDeadLetter(change.letter.id);
      return "Message discarded";
    default:
      await api.replayDeadLetter(change.letter.id);
      return "Message put back";
  }
}

function LetterFacts({ letter }: { readonly letter: DeadLetterView }) {
  return (
    <Facts
      items={{
        Queue: <Name text={letter.queue} />,
        Job: <Link to={jobPath(letter.jobId)}>{letter.jobId}</Link>,
        Task: `${letter.stage} ${letter.index}`,
        Reason: <Name text={`${letter.reason.message} (${letter.reason.code})`} />,
        Tried: formatCount(letter.receiveCount, "time"),
        Sent: formatMoment(letter.sentAt),
        "Given up": formatMoment(letter.deadAt),
      }}
    />
  );
}
