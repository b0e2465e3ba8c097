import type { DeliveryView, JobView } from "../../api/types.ts";
import { useApi } from "../../auth/api-context.ts";
import { useAction } from "../../live/use-action.ts";
import { useLoaded } from "../../live/use-loaded.ts";
import { useAnnounce } from "../../ui/announcer.tsx";
import { Button } from "../../ui/button.tsx";
import { DataTable } from "../../ui/data-table.tsx";
import { ErrorNote } from "../../ui/error-note.tsx";
import { formatCount } from "../../ui/formats.ts";
import { Moment } from "../../ui/moment.tsx";
import { Name } from "../../ui/name.tsx";
import { Section } from "../../ui/section.tsx";
import { StatusBadge } from "../../ui/status-badge.tsx";

const REFRESH_MS = 10_000;

/** Whom the job's outcome was told, and whether they heard it. */
export function DeliveryList({ job, nowMs }: { readonly job: JobView; readonly nowMs: number }) {
  const api = useApi();
  const announce = useAnnounce();
  const action = useAction();
  const deliveries = useLoaded((signal) => api.listDeliveries(job.id, signal), `${job.id} ${job.status}`, REFRESH_MS);
  const redeliver = (id: string): void =>
    void action.run(async () => {
      await api.redeliver(id);
      announce("The message will be sent again.");
      deliveries.reload();
    });
  const hasNone = deliveries.data?.length === 0;
  if (job.webhook === null && (hasNone || deliveries.data === undefined)) return null;
  return (
    <Section title="Webhook deliveries">
      {action.error !== null && <ErrorNote error={action.error} title="Not sent again" />}
      {deliveries.error !== undefined && <ErrorNote error={deliveries.error} title="The list is not up to date" />}
      {hasNone && <p className="muted">Nothing was sent yet; the message goes out when the job ends.</p>}
      {deliveries.data !== undefined && !hasNone && (
        <DataTable caption="Webhook deliveries" columns={["Receiver", "State", "Attempts", "Next", "Action"]}>
          {deliveries.data.map((delivery) => (
            <tr key={delivery.id}>
              <td className="cell-name">
                <Name text={delivery.url} />
              </td>
              <td>
                <StatusBadge status={delivery.state} />
              </td>
              <td className="cell-name">{describeAttempts(delivery)}</td>
              <td>{delivery.nextAttemptAt === null ? "–" : <Moment at={delivery.nextAttemptAt} nowMs={nowMs} />}</td>
              <td>
                <Button icon="retry" isBusy={action.isBusy} onClick={() => redeliver(delivery.id)}>
                  Redeliver
                </Button>
              </td>
            </tr>
          ))}
        </DataTable>
      )}
    </Section>
  );
}

function describeAttempts({ attempts }: DeliveryView): string {
  const last = attempts.at(-1);
  if (last === undefined) return "none yet";
  const outcome = last.status === null ? (last.error ?? "no answer") : `status ${last.status}`;
  return `${formatCount(attempts.length, "attempt")}, last: ${outcome} in ${last.durationMs} ms`;
}
