import type { ReactNode } from "react";

/** Names and values, in the order in which they are given; those without a value are left out. */
export function Facts({ items }: { readonly items: Readonly<Record<string, ReactNode>> }) {
  return (
    <dl className="facts">
      {Object.entries(items).map(([name, value]) =>
        value === null || value === undefined ? null : (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ),
      )}
    </dl>
  );
}
