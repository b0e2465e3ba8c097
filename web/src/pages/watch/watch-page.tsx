import type { WatchView } from "../../api/types.ts";
import { useApi } from "../../auth/api-context.ts";
import { type Action, useAction } from "../../live/use-action.ts";
import { refreshMsOf, useEventStream } from "../../live/use-event-stream.ts";
import { useLoaded } from "../../live/use-loaded.ts";
import { useAnnounce } from "../../ui/announcer.tsx";
import { Button } from "../../ui/button.tsx";
import { Connection } from "../../ui/connection.tsx";
import { Empty, Loading } from "../../ui/empty.tsx";
import { ErrorNote } from "../../ui/error-note.tsx";
import { Facts } from "../../ui/facts.tsx";
import { formatExact, showWords } from "../../ui/formats.ts";
import { Icon } from "../../ui/icon.tsx";
import { Name } from "../../ui/name.tsx";
import { PageHeading } from "../../ui/page-heading.tsx";
import { Path } from "../../ui/path.tsx";
import { Section } from "../../ui/section.tsx";
import { StatusBadge } from "../../ui/status-badge.tsx";
import { WatchedFiles } from "./watched-files.tsx";

/** The watch folder. */
export function WatchPage() {
  const api = useApi();
  const announce = useAnnounce();
  const action = useAction();
  // Loaded below, and renewed by the stream above it.
  const stream = useEventStream("/v1/events", { onWatch: (news) => watch.update(() => news) });
  const watch = useLoaded(api.getWatch, "watch", refreshMsOf(stream));
  const { data } = watch;
  const scan = (): void =>
    void action.run(async () => {
      await api.scanNow();
      announce("The folder is being looked through.");
      watch.reload();
    });
  return (
    <>
      <PageHeading
        title="Watch folder"
        aside={
          <>
            {data?.isConfigured === true && <WatchState watch={data} />}
            <Connection state={stream} />
          </>
        }
        actions={
          data?.isConfigured === true && (
            <Button kind="primary" icon="retry" isBusy={action.isBusy} onClick={scan}>
              Scan now
            </Button>
          )
        }
      />
      {watch.error !== undefined && <ErrorNote error={watch.error} title="The state is not up to date" />}
      {action.error !== null && <ErrorNote error={action.error} title="Not done" />}
      {data === undefined && watch.error === undefined && <Loading what="the watch folder" />}
      {data?.isConfigured === false && <HowToWatch />}
      {data?.isConfigured === true && <WatchDetails watch={data} action={action} onChanged={watch.reload} />}
    </>
  );
}

function WatchState({ watch }: { readonly watch: WatchView }) {
  if (watch.isPaused) return <StatusBadge status="paused" />;
  return watch.isRunning ? (
    <StatusBadge status="running" label="Watching" />
  ) : (
    <StatusBadge status="cancelled" label="Stopped" />
  );
}

function HowToWatch() {
  return (
    <Empty title="No folder is watched">
      <p>
        Start the server with <code>reelmill up --watch &lt;folder&gt;</code>. Broken recordings put into{" "}
        <code>ready/</code> are then repaired by themselves and appear in <code>export/</code>.
      </p>
    </Empty>
  );
}

/** What a counter is called. */
const COUNTERS: Readonly<Record<string, string>> = {
  scans: "Times looked through",
  exported: "Repaired",
  exportedByCloud: "Repaired in the cloud",
  quarantined: "Not repairable",
  putOff: "Tried again later",
  pauses: "Times out of reach",
};

/** Without a cloud, and most have none, nothing is ever repaired there. */
function shownCounters({ counters }: WatchView): readonly (readonly [string, number])[] {
  return Object.entries(counters).filter(([name, value]) => name !== "exportedByCloud" || value > 0);
}

interface WatchDetailsProps {
  readonly watch: WatchView;
  readonly action: Action;
  readonly onChanged: () => void;
}

function WatchDetails({ watch, action, onChanged }: WatchDetailsProps) {
  return (
    <>
      {watch.reason !== null && (
        <p className="note note-partial" role="status">
          <Icon name="partial" />
          <Name text={watch.reason} />
        </p>
      )}
      <dl className="figures card">
        {shownCounters(watch).map(([name, value]) => (
          <div key={name}>
            <dt>{COUNTERS[name] ?? showWords(name)}</dt>
            <dd>{formatExact(value)}</dd>
          </div>
        ))}
      </dl>
      <Section title="Files">
        <WatchedFiles watch={watch} action={action} onChanged={onChanged} />
      </Section>
      <Section title="Folders">
        <div className="card">
          <Facts
            items={{
              "Put recordings into": <Path text={watch.readyFolder} />,
              "Repaired ones appear in": <Path text={watch.exportFolder} />,
              "Failed ones are kept in": <Path text={watch.quarantineFolder} />,
              "Healthy reference":
                watch.currentReference === null ? (
                  "none yet: put one healthy recording of the same camera into the folder"
                ) : (
                  <Name text={watch.currentReference} />
                ),
            }}
          />
        </div>
      </Section>
    </>
  );
}
