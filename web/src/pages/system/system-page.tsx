import type { StatsView, SystemView } from "../../api/types.ts";
import { useApi } from "../../auth/api-context.ts";
import { useLoaded } from "../../live/use-loaded.ts";
import { Loading } from "../../ui/empty.tsx";
import { ErrorNote } from "../../ui/error-note.tsx";
import { Facts } from "../../ui/facts.tsx";
import { formatBytes, formatCount, formatExact, formatSeconds, formatShare } from "../../ui/formats.ts";
import { Icon } from "../../ui/icon.tsx";
import { Name } from "../../ui/name.tsx";
import { PageHeading } from "../../ui/page-heading.tsx";
import { Path } from "../../ui/path.tsx";
import { Section } from "../../ui/section.tsx";
import { SettingsTable } from "./settings-table.tsx";
import { UsageBar } from "./usage-bar.tsx";

const REFRESH_MS = 5_000;
/** Encoders of what the web plays, in software and on graphics cards. */
const NOTABLE =
  /^(lib(x26[45]|vpx(-vp9)?|aom-av1|svtav1|opus|mp3lame)|aac|opus|(h264|hevc|av1)_(nvenc|qsv|vaapi|videotoolbox|amf))$/;

/** The server and its machine. */
export function SystemPage() {
  const api = useApi();
  const system = useLoaded(api.getSystem, "system", REFRESH_MS);
  const stats = useLoaded(api.getStats, "stats", REFRESH_MS);
  const error = system.error ?? stats.error;
  return (
    <>
      <PageHeading title="System" />
      {error !== undefined && <ErrorNote error={error} title="Not up to date" />}
      {stats.data !== undefined && <Activity stats={stats.data} />}
      {system.data === undefined && error === undefined && <Loading what="the system" />}
      {system.data !== undefined && <Machine system={system.data} />}
    </>
  );
}

function Activity({ stats }: { readonly stats: StatsView }) {
  const { workers, containers, jobs, uptimeSeconds } = stats;
  const figures = [
    ["Running jobs", formatExact(jobs.byStatus.running ?? 0)],
    ["Queued jobs", formatExact(jobs.byStatus.queued ?? 0)],
    ["Ended in a day", formatExact(jobs.endedLastDay)],
    ["Workers busy", `${workers.busy} of ${workers.running}`],
    ["Workers at most", formatExact(workers.max)],
    ...(containers === null
      ? []
      : ([["Containers", `${containers.running} running, ${containers.pending} pending`]] as const)),
    ["Up for", formatSeconds(uptimeSeconds)],
  ] as const;
  return (
    <dl className="figures card">
      {figures.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function Machine({ system }: { readonly system: SystemView }) {
  const { disk, memoryBytes, freeMemoryBytes } = system;
  return (
    <>
      <Section title="Machine">
        <div className="card stack">
          <Facts
            items={{
              Reelmill: system.version,
              Node: system.node,
              Platform: system.platform,
              Processors: formatExact(system.cpus),
              "Data folder": <Path text={disk.path} />,
            }}
          />
          <UsageBar name="Disk" totalBytes={disk.totalBytes} freeBytes={disk.freeBytes} />
          <UsageBar name="Memory" totalBytes={memoryBytes} freeBytes={freeMemoryBytes} />
          {disk.freeBytes / disk.totalBytes < 0.05 && (
            <p className="note note-partial">
              <Icon name="partial" />
              <span>
                Only {formatShare(disk.freeBytes / disk.totalBytes)} of the disk is free: {formatBytes(disk.freeBytes)}.
              </span>
            </p>
          )}
        </div>
      </Section>
      <Section title="ffmpeg">
        <div className="card stack">
          <Ffmpeg ffmpeg={system.ffmpeg} />
        </div>
      </Section>
      <Section title="Settings">
        <SettingsTable settings={system.settings} />
      </Section>
    </>
  );
}

function isNotable(encoder: string): boolean {
  return NOTABLE.test(encoder);
}

function Ffmpeg({ ffmpeg }: Pick<SystemView, "ffmpeg">) {
  if (ffmpeg === null) {
    return (
      <p className="note note-partial">
        <Icon name="partial" />
        <span>
          ffmpeg is not installed: outputs are not decoded to check them. <code>reelmill doctor</code> says how to get
          it.
        </span>
      </p>
    );
  }
  return (
    <>
      <Facts
        items={{
          Version: <Name text={ffmpeg.version} />,
          Path: <Path text={ffmpeg.path} />,
        }}
      />
      <ul className="tags" aria-label="Encoders">
        {ffmpeg.encoders.filter(isNotable).map((encoder) => (
          <li key={encoder} className="tag">
            <Icon name="succeeded" />
            {encoder}
          </li>
        ))}
        {ffmpeg.missing.map((part) => (
          <li key={part} className="tag tag-missing">
            <Icon name="cancelled" />
            {part} <span className="muted">missing</span>
          </li>
        ))}
      </ul>
      <details>
        <summary>All {formatCount(ffmpeg.encoders.length, "encoder")}</summary>
        <p className="muted">{ffmpeg.encoders.join(", ")}</p>
      </details>
    </>
  );
}
