/** One column of a table of results. */
export interface Column<Row> {
  readonly title: string;
  readonly widthChars: number;
  /** Text stands at the left, figures at the right. */
  readonly isText?: boolean;
  readonly cell: (row: Row) => string;
}

/** The heading of the aligned table. */
export function formatHeading<Row>(columns: readonly Column<Row>[]): string {
  return columns.map((column) => pad(column.title, column)).join("  ");
}

/** One line of the aligned table, what is to be noted about it at its end. */
export function formatLine<Row>(columns: readonly Column<Row>[], row: Row, notes: readonly string[]): string {
  const cells = columns.map((column) => pad(column.cell(row), column));
  return [...cells, notes.length === 0 ? "" : `✗ ${notes.join(", ")}`].join("  ").trimEnd();
}

/** The same table as Markdown. */
export function formatMarkdownTable<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string {
  return markdownLines(
    columns.map(({ title }) => title),
    rows.map((row) => columns.map(({ cell }) => cell(row))),
  );
}

/** A Markdown table of texts. */
export function markdownLines(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return [line(titles), line(titles.map(() => "---")), ...rows.map(line)].join("\n");
}

function pad<Row>(text: string, { widthChars, isText = false }: Column<Row>): string {
  return isText ? text.padEnd(widthChars) : text.padStart(widthChars);
}
