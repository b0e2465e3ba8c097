import { type Column, formatLine, formatMarkdownTable, formatHeading as headingOf } from "../measuring/table.ts";
import type { ConvertRow } from "./measure.ts";

const FIGURE = { widthChars: 10 };

const COLUMNS: readonly Column<ConvertRow>[] = [
  { title: "conversion", widthChars: 15, isText: true, cell: (row) => row.id },
  { title: "plain s", ...FIGURE, cell: (row) => row.plain.wallSeconds.toFixed(1) },
  { title: "ours s", ...FIGURE, cell: (row) => row.ours.wallSeconds.toFixed(1) },
  { title: "wall", ...FIGURE, cell: (row) => row.ratios.wall.toFixed(3) },
  { title: "cpu", ...FIGURE, cell: (row) => row.ratios.cpu.toFixed(3) },
  { title: "plain MB", ...FIGURE, cell: (row) => (row.plain.bytes / 1e6).toFixed(3) },
  { title: "size", ...FIGURE, cell: (row) => row.ratios.size.toFixed(3) },
  { title: "plain SSIM", ...FIGURE, cell: (row) => row.plain.ssim.toFixed(4) },
  { title: "our SSIM", ...FIGURE, cell: (row) => row.ours.ssim.toFixed(4) },
  { title: "frames", ...FIGURE, cell: (row) => `${row.ours.frameCount}/${row.sourceFrameCount}` },
  { title: "Node MB", ...FIGURE, cell: (row) => (row.ours.nodePeakBytes / 1e6).toFixed(0) },
];

const MISSED: Column<ConvertRow> = {
  title: "missed",
  widthChars: 0,
  isText: true,
  cell: (row) => row.missed.join(", "),
};

/** The heading of the aligned table. */
export function formatHeading(): string {
  return headingOf(COLUMNS);
}

/** One line of the aligned table, missed targets at its end. */
export function formatRow(row: ConvertRow): string {
  return formatLine(COLUMNS, row, row.missed);
}

/** The same as Markdown. */
export function formatMarkdown(rows: readonly ConvertRow[]): string {
  return formatMarkdownTable([...COLUMNS, MISSED], rows);
}
