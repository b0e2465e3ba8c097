import { printableLine } from "../../base/printable.ts";

/** One column of a table. */
export interface TableColumn {
  readonly title: string;
  /** Figures stand to the right; default left. */
  readonly align?: "left" | "right";
}

function padCell(text: string, width: number, column: TableColumn): string {
  return column.align === "right" ? text.padStart(width) : text.padEnd(width);
}

/**
 * Lays out rows under their titles with a rule between, two spaces apart, each line ending in a line feed. Missing cells are
 * empty; the last column is not padded. Codec names and the like come from files: what could steer a terminal is escaped.
 */
export function formatTable(columns: readonly TableColumn[], rows: readonly (readonly string[])[]): string {
  const shown = rows.map((row) => row.map(printableLine));
  const widths = columns.map((column, index) =>
    shown.reduce((widest, row) => Math.max(widest, (row[index] ?? "").length), column.title.length),
  );
  const line = (cells: readonly string[]): string =>
    columns
      .map((column, index) => padCell(cells[index] ?? "", widths[index] ?? 0, column))
      .join("  ")
      .trimEnd();
  const rule = widths.map((width) => "─".repeat(width)).join("  ");
  return `${[line(columns.map((column) => column.title)), rule, ...shown.map(line)].join("\n")}\n`;
}
