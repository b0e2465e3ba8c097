import type { ReactNode } from "react";

/** Says that there is nothing, and what to do about it. */
export function Empty({ title, children }: { readonly title: string; readonly children?: ReactNode }) {
  return (
    <div className="empty">
      <p className="empty-title">{title}</p>
      {children}
    </div>
  );
}

/** Stands where something will be. */
export function Loading({ what }: { readonly what: string }) {
  return <p className="loading">Loading {what}…</p>;
}
