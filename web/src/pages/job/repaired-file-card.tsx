import { useId } from "react";
import { baseName } from "../../api/object-urls.ts";
import type { MovedBytes, RepairedFile, RepairReport } from "../../api/repair-types.ts";
import { useApi } from "../../auth/api-context.ts";
import { useLoaded } from "../../live/use-loaded.ts";
import { ErrorNote } from "../../ui/error-note.tsx";
import { formatBytes, formatFineShare, formatSeconds } from "../../ui/formats.ts";
import { Icon } from "../../ui/icon.tsx";
import { Name } from "../../ui/name.tsx";
import { StatusBadge } from "../../ui/status-badge.tsx";
import { CheckList } from "./check-list.tsx";
import { DamageStrip } from "./damage-strip.tsx";
import { FindingsTable } from "./findings-table.tsx";
import { Output } from "./output.tsx";
import { TrackShares } from "./track-shares.tsx";

/** What became of one damaged recording: what was wrong with it, beside what was saved. */
export function RepairedFileCard({ file }: { readonly file: RepairedFile }) {
  const titleId = useId();
  const { report } = file;
  return (
    <article className="card stack" aria-labelledby={titleId}>
      <header className="file-heading">
        <h3 id={titleId}>
          <Name text={baseName(file.input)} />
        </h3>
        <StatusBadge status={file.status} />
        <span className="spacer" />
        {report !== null && file.status === "repaired" && (
          <p className="recovered">
            <strong>{formatFineShare(report.confidence)}</strong> recovered
          </p>
        )}
      </header>
      {file.error !== undefined && <ErrorNote error={file.error} title="Not repaired" isNews={false} />}
      <div className={file.output === null ? "stack" : "file-grid"}>
        {report !== null && <FileReport report={report} file={file} />}
        {file.output !== null && <Output objectKey={file.output} />}
      </div>
      {report !== null && <FindingsTable findings={report.findings} />}
      {file.notices.map((notice) => (
        <p key={notice} className="note">
          <Icon name="info" />
          <Name text={notice} />
        </p>
      ))}
      <CheckList checks={file.checks} />
      {file.references.length > 0 && (
        <p className="muted">
          Learnt from <Name text={file.references.map(baseName).join(", ")} />
        </p>
      )}
      {file.moved && <MovedNote moved={file.moved} />}
    </article>
  );
}

/** What a repair in an object store moved; nothing where the files lie on the machine that did the work. */
function MovedNote({ moved: { downloadedBytes, uploadedBytes, copiedBytes } }: { readonly moved: MovedBytes }) {
  if (downloadedBytes + uploadedBytes + copiedBytes === 0) return null;
  return (
    <p className="muted">
      Read {formatBytes(downloadedBytes)} from the object store and wrote {formatBytes(uploadedBytes)}; it copied{" "}
      {formatBytes(copiedBytes)} itself.
    </p>
  );
}

/** What a state of a damaged file that stayed as it is is called. */
const DIAGNOSES: Readonly<Record<string, string>> = {
  healthy: "The file is healthy.",
  "index-cut": "The index is sound, but the data end early.",
  "index-hidden": "The index is sound, but players do not find it.",
  "index-holed": "The index is sound, but zeros stand where some data should be.",
  fragmented: "A fragmented file; its whole fragments are kept.",
  "no-index": "The index is missing, or does not fit the data.",
  unknown: "Another program mended the file.",
};

/** What the state of a damaged file was, where it is repaired. */
const PAST_DIAGNOSES: Readonly<Record<string, string>> = {
  healthy: "The file was healthy.",
  "index-cut": "The index was sound, but the data ended early.",
  "index-hidden": "The index was sound, but players did not find it.",
  "index-holed": "The index was sound, but zeros stood where some data should have been.",
  fragmented: "A fragmented file; its whole fragments were kept.",
  "no-index": "The index was missing, or did not fit the data.",
  unknown: "Another program mended the file.",
};

interface FileReportProps {
  readonly report: RepairReport;
  readonly file: RepairedFile;
}

function FileReport({ report, file: { input, status } }: FileReportProps) {
  const api = useApi();
  const size = useLoaded((signal) => api.findObjectBytes(input, signal), input, null);
  const known = report.findings.reduce((most, { endOffset }) => Math.max(most, endOffset), report.bytes.scanned);
  const diagnoses = status === "repaired" ? PAST_DIAGNOSES : DIAGNOSES;
  const lostSeconds = report.findings.reduce((sum, finding) => sum + (finding.lostSeconds ?? 0), 0);
  return (
    <div className="stack">
      <p>
        {diagnoses[report.diagnosis] ?? report.diagnosis}
        {lostSeconds > 0 && ` About ${formatSeconds(lostSeconds)} of playing time is lost.`}
      </p>
      {/* Another program does not say where the damage was: an empty map would look like none. */}
      {report.diagnosis !== "unknown" && <DamageStrip report={report} totalBytes={Math.max(known, size.data ?? 0)} />}
      <TrackShares tracks={report.tracks} />
    </div>
  );
}
