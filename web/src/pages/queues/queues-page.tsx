import { useApi } from "../../auth/api-context.ts";
import { useAction } from "../../live/use-action.ts";
import { useLoaded } from "../../live/use-loaded.ts";
import { useNow } from "../../live/use-now.ts";
import { useAnnounce } from "../../ui/announcer.tsx";
import { Loading } from "../../ui/empty.tsx";
import { ErrorNote } from "../../ui/error-note.tsx";
import { PageHeading } from "../../ui/page-heading.tsx";
import { Section } from "../../ui/section.tsx";
import { DeadLetters } from "./dead-letters.tsx";
import { QueueCard } from "./queue-card.tsx";

const REFRESH_MS = 3_000;

/** Queues, and the messages that were given up. */
export function QueuesPage() {
  const api = useApi();
  const announce = useAnnounce();
  const nowMs = useNow();
  const action = useAction();
  const queues = useLoaded(api.listQueues, "queues", REFRESH_MS);
  const letters = useLoaded(api.listDeadLetters, "dead-letters", REFRESH_MS);
  const reload = (): void => {
    queues.reload();
    letters.reload();
  };
  const change = (queue: string, wanted: "pause" | "resume"): void =>
    void action.run(async () => {
      await api.changeQueue(queue, wanted);
      announce(`Queue ${queue}: ${wanted}d`);
      queues.reload();
    });
  return (
    <>
      <PageHeading title="Queues" />
      {queues.error !== undefined && <ErrorNote error={queues.error} title="The queues are not up to date" />}
      {action.error !== null && <ErrorNote error={action.error} title="The queue was not changed" />}
      {queues.data === undefined && queues.error === undefined && <Loading what="queues" />}
      <ul className="card-grid" aria-label="Queues">
        {queues.data?.map((queue) => (
          <QueueCard
            key={queue.queue}
            queue={queue}
            nowMs={nowMs}
            isBusy={action.isBusy}
            onChange={(wanted) => change(queue.queue, wanted)}
          />
        ))}
      </ul>
      <Section title="Dead letters">
        <p className="muted">
          Messages that failed too often and were set aside. Looking at them changes nothing; replaying puts them back
          into their queue.
        </p>
        {letters.error !== undefined && <ErrorNote error={letters.error} title="The list is not up to date" />}
        {letters.data !== undefined && <DeadLetters letters={letters.data} nowMs={nowMs} onChanged={reload} />}
      </Section>
    </>
  );
}
