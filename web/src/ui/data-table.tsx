import type { ReactNode } from "react";

interface DataTableProps {
  /** What the table shows; read out, and seen unless a heading says it. */
  readonly caption: string;
  readonly columns: readonly (string | { readonly title: string; readonly isNumber: true })[];
  readonly children: ReactNode;
}

/** A table that scrolls by itself where the page is narrow. */
export function DataTable({ caption, columns, children }: DataTableProps) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard.
    <section className="table-scroll" aria-label={caption} tabIndex={0}>
      <table>
        <caption className="visually-hidden">{caption}</caption>
        <thead>
          <tr>
            {columns.map((column) => {
              const title = typeof column === "string" ? column : column.title;
              return (
                <th key={title} scope="col" className={typeof column === "string" ? undefined : "number"}>
                  {title}
                </th>
              );
            })}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </section>
  );
}
