import { type Column, formatHeading, formatLine, formatMarkdownTable } from "../measuring/table.ts";
import type { HlsResult } from "./measure.ts";

interface Row {
  readonly title: string;
  readonly wallSeconds: number;
  readonly cpuSeconds: number;
  readonly bytes?: number;
  readonly nodePeakBytes?: number;
}

function rowsOf({ perRung, single, ours }: HlsResult): readonly Row[] {
  return [
    { title: "one process per rung", ...perRung },
    { title: "single ffmpeg command", ...single },
    {
      title: "reelmill, its encoding",
      wallSeconds: ours.encodingWallSeconds,
      cpuSeconds: ours.encodingCpuSeconds,
    },
    { title: "reelmill, whole, checked", ...ours },
  ];
}

function columnsOf({ perRung, single }: HlsResult): readonly Column<Row>[] {
  const figure = { widthChars: 14 };
  const ratio = (value: number): string => value.toFixed(3);
  const megabytes = (bytes: number | undefined, digits: number): string =>
    bytes === undefined || Number.isNaN(bytes) ? "-" : (bytes / 1e6).toFixed(digits);
  return [
    { title: "", widthChars: 24, isText: true, cell: (row) => row.title },
    { title: "wall s", ...figure, cell: (row) => row.wallSeconds.toFixed(1) },
    { title: "cpu s", ...figure, cell: (row) => row.cpuSeconds.toFixed(2) },
    { title: "cpu / per rung", ...figure, cell: (row) => ratio(row.cpuSeconds / perRung.cpuSeconds) },
    { title: "cpu / single", ...figure, cell: (row) => ratio(row.cpuSeconds / single.cpuSeconds) },
    { title: "wall / single", ...figure, cell: (row) => ratio(row.wallSeconds / single.wallSeconds) },
    { title: "MB", ...figure, cell: (row) => megabytes(row.bytes, 2) },
    { title: "Node MB", ...figure, cell: (row) => megabytes(row.nodePeakBytes, 0) },
  ];
}

/** The aligned table. */
export function formatTable(result: HlsResult): string {
  const columns = columnsOf(result);
  return [formatHeading(columns), ...rowsOf(result).map((row) => formatLine(columns, row, []))].join("\n");
}

/** The same as Markdown. */
export function formatMarkdown(result: HlsResult): string {
  return formatMarkdownTable(columnsOf(result), rowsOf(result));
}
