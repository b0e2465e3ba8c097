import { type Column, formatLine, formatHeading as headingOf, markdownLines } from "../measuring/table.ts";
import type { Row } from "./evaluate.ts";
import { maxTimeErrorMs } from "./score.ts";
import { countKind } from "./targets.ts";

const COLUMNS: readonly Column<Row>[] = [
  { title: "case", widthChars: 28, isText: true, cell: (row) => row.id },
  { title: "damage", widthChars: 8, isText: true, cell: (row) => row.damage },
  { title: "video", widthChars: 11, cell: (row) => fraction(row, "video") },
  { title: "audio", widthChars: 11, cell: (row) => fraction(row, "audio") },
  { title: "other", widthChars: 9, cell: (row) => fraction(row, "other") },
  { title: "extra", widthChars: 5, cell: (row) => String(row.tracks.reduce((sum, track) => sum + track.extra, 0)) },
  { title: "decoded %", widthChars: 9, cell: (row) => decodedPercent(row) },
  { title: "time ms", widthChars: 9, cell: (row) => figure(row.timeErrorMs, 2) },
  { title: "drift ms", widthChars: 9, cell: (row) => figure(row.driftMs, 2) },
  { title: "MB/s", widthChars: 7, cell: (row) => figure(megabytesPerSecond(row), 1) },
  { title: "cpu s", widthChars: 6, cell: (row) => figure(row.cost.cpuSeconds, 2) },
  { title: "peak MB", widthChars: 7, cell: (row) => figure(row.peakAboveFloorBytes / 1e6, 0) },
];

/** The heading of the aligned table. */
export function formatHeading(): string {
  return headingOf(COLUMNS);
}

/** One line of the aligned table, missed targets at its end. */
export function formatRow(row: Row): string {
  const notes = [...(row.hasOutput ? [] : ["no output"]), ...(row.cost.timedOut ? ["timed out"] : []), ...row.missed];
  return formatLine(COLUMNS, row, notes);
}

/** A Markdown table with one line per case and the damages of a case side by side. */
export function formatMarkdown(rows: readonly Row[]): string {
  const ids = [...new Set(rows.map((row) => row.id))];
  const lines = ids.map((id) => {
    const own = rows.filter((row) => row.id === id);
    const joined = (cell: (row: Row) => string) => own.map(cell).join(" / ");
    const totalBytes = own.reduce((sum, row) => sum + row.damagedBytes, 0);
    const totalSeconds = own.reduce((sum, row) => sum + row.cost.wallSeconds, 0);
    return [
      id,
      joined((row) => row.damage),
      joined((row) => percent(row, "video")),
      joined((row) => percent(row, "audio")),
      joined((row) => percent(row, "other")),
      joined((row) => decodedPercent(row)),
      joined((row) => figure(worstTimeErrorMs(row), 1)),
      joined((row) => figure(row.driftMs, 1)),
      (totalBytes / 1e6 / totalSeconds).toFixed(1),
      (Math.max(...own.map((row) => row.peakAboveFloorBytes)) / 1e6).toFixed(0),
    ];
  });
  const titles =
    "case | damages | video % | audio % | other % | decoded % | time error ms | A/V drift ms | MB/s | peak MB";
  return markdownLines(titles.split(" | "), lines);
}

/** A row as it goes into the JSON report: the shifts of single packets are left out. */
export function summariseRow(row: Row): unknown {
  const tracks = row.tracks.map(({ shifts: _shifts, ...counts }) => counts);
  return { ...row, tracks, megabytesPerSecond: megabytesPerSecond(row) };
}

function megabytesPerSecond(row: Row): number {
  return row.damagedBytes / 1e6 / Math.max(0.001, row.cost.wallSeconds);
}

function worstTimeErrorMs(row: Row): number | undefined {
  return row.timeErrorMs ?? maxTimeErrorMs(row.tracks, "video");
}

function fraction(row: Row, kind: "video" | "audio" | "other"): string {
  const { recovered, recoverable } = countKind(row.tracks, kind);
  return recoverable === 0 ? "-" : `${recovered}/${recoverable}`;
}

function percent(row: Row, kind: "video" | "audio" | "other"): string {
  const { recovered, recoverable } = countKind(row.tracks, kind);
  return recoverable === 0 ? "-" : percentText(recovered, recoverable);
}

function decodedPercent(row: Row): string {
  const decoded = row.decoded;
  return decoded === undefined || decoded.recoverable === 0 ? "-" : percentText(decoded.recovered, decoded.recoverable);
}

/** Never rounds up to 100: that figure is kept for "all". */
function percentText(part: number, whole: number): string {
  return part === whole ? "100" : (Math.floor((part / whole) * 1000) / 10).toFixed(1);
}

function figure(value: number | undefined, digits: number): string {
  return value === undefined || Number.isNaN(value) ? "-" : value.toFixed(digits);
}
