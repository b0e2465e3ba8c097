import type { ConvertRow } from "./measure.ts";

interface Column {
  readonly title: string;
  readonly cell: (row: ConvertRow) => string;
}

const COLUMNS: readonly Column[] = [
  { title: "conversion", cell: (row) => row.id },
  { title: "plain s", cell: (row) => row.plain.wallSeconds.toFixed(1) },
  { title: "ours s", cell: (row) => row.ours.wallSeconds.toFixed(1) },
  { title: "wall", cell: (row) => row.ratios.wall.toFixed(3) },
  { title: "cpu", cell: (row) => row.ratios.cpu.toFixed(3) },
  { title: "plain MB", cell: (row) => (row.plain.bytes / 1e6).toFixed(3) },
  { title: "size", cell: (row) => row.ratios.size.toFixed(3) },
  { title: "plain SSIM", cell: (row) => row.plain.ssim.toFixed(4) },
  { title: "our SSIM", cell: (row) => row.ours.ssim.toFixed(4) },
  { title: "frames", cell: (row) => `${row.ours.frameCount}/${row.sourceFrameCount}` },
  { title: "Node MB", cell: (row) => (row.ours.nodePeakBytes / 1e6).toFixed(0) },
];

/** The heading of the aligned table. */
export function formatHeading(): string {
  return COLUMNS.map(({ title }, index) => pad(title, index)).join("  ");
}

/** One line of the aligned table, missed targets at its end. */
export function formatRow(row: ConvertRow): string {
  const cells = COLUMNS.map(({ cell }, index) => pad(cell(row), index));
  return [...cells, row.missed.length === 0 ? "" : `✗ ${row.missed.join(", ")}`].join("  ").trimEnd();
}

/** The same as Markdown. */
export function formatMarkdown(rows: readonly ConvertRow[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return [
    line([...COLUMNS.map(({ title }) => title), "missed"]),
    line([...COLUMNS, "missed"].map(() => "---")),
    ...rows.map((row) => line([...COLUMNS.map(({ cell }) => cell(row)), row.missed.join(", ")])),
  ].join("\n");
}

function pad(text: string, index: number): string {
  const width = index === 0 ? 15 : 10;
  return index === 0 ? text.padEnd(width) : text.padStart(width);
}
