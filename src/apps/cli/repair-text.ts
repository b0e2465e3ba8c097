import { printableLine } from "../../base/printable.ts";
import { formatBytes, formatCount, formatElapsedMs, formatMediaSeconds } from "../../base/units.ts";
import type { FileResult, RepairDocument } from "../../pipelines/repair/index.ts";
import { formatTable } from "./table.ts";

const SHOWN_FINDINGS = 12;

type Report = NonNullable<FileResult["report"]>;

/** What became of one file, for people: a heading, a table of its tracks, what was found where, the checks. */
export function formatFileResult(result: FileResult, elapsedMs: number | undefined): string {
  const { report } = result;
  const elapsed = elapsedMs === undefined ? "" : ` (${formatElapsedMs(elapsedMs)})`;
  const lines = [printableLine(`${result.input}: ${headingOf(result)}${elapsed}`)];
  if (report !== null && result.status !== "healthy") {
    lines.push(indent(formatTracks(report)), ...formatFindings(report), `  ${formatBytesLine(report)}`);
  }
  for (const check of result.checks) lines.push(printableLine(`  ${check.name} ${check.status}: ${check.detail}`));
  for (const notice of result.notices) lines.push(printableLine(`  ${notice}`));
  return `${lines.join("\n")}\n`;
}

function headingOf({ status, output, input, report }: FileResult): string {
  const engine = report === null || report.engine === "native" ? "" : ` by ${engineName(report)}`;
  if (status === "healthy") return "healthy, nothing to repair";
  if (status === "repairable") return `can be repaired${engine}; nothing was written`;
  return output === input ? "repaired in place" : `repaired${engine} → ${output ?? ""}`;
}

function engineName(report: Report): string {
  return report.engine === "remux" ? "an ffmpeg remux" : report.engine;
}

function formatTracks(report: Report): string {
  const columns = [
    { title: "track", align: "right" },
    { title: "kind" },
    { title: "codec" },
    { title: "packets", align: "right" },
    { title: "key", align: "right" },
    { title: "duration", align: "right" },
    { title: "times from" },
  ] as const;
  const rows = report.tracks.map((track) => [
    String(track.trackId),
    track.kind,
    track.codec,
    String(track.packets),
    track.keyframes === 0 ? "" : String(track.keyframes),
    formatMediaSeconds(track.durationSeconds),
    track.timing,
  ]);
  return formatTable(columns, rows);
}

function formatFindings(report: Report): readonly string[] {
  const shown = report.findings.slice(0, SHOWN_FINDINGS).map((finding) => {
    const bytes = formatBytes(finding.endOffset - finding.startOffset);
    const lost = finding.lostSeconds === undefined ? "" : `, about ${formatMediaSeconds(finding.lostSeconds)} lost`;
    return printableLine(`  ${finding.kind} at byte ${finding.startOffset} (${bytes}${lost}): ${finding.action}`);
  });
  const rest = report.findings.length - SHOWN_FINDINGS;
  return rest > 0 ? [...shown, `  … and ${formatCount(rest, "more finding")}; --report writes them all`] : shown;
}

function formatBytesLine({ bytes, confidence }: Report): string {
  const share = `${Math.floor(confidence * 1000) / 10} %`;
  return `${formatBytes(bytes.recovered)} of ${formatBytes(bytes.scanned)} recovered (${share} of what is not empty)`;
}

function indent(text: string): string {
  return text
    .trimEnd()
    .split("\n")
    .map((line) => `  ${line}`)
    .join("\n");
}

/** One line over all files. */
export function formatSummary({ summary, dryRun }: RepairDocument): string {
  const done = dryRun ? `${summary.repairable} can be repaired` : `${summary.repaired} repaired`;
  return `${done}, ${summary.healthy} healthy, ${summary.failed} failed\n`;
}
