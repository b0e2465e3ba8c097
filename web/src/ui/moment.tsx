import { formatAge, formatMoment } from "./formats.ts";

/** How long ago something was, with the exact time behind it. */
export function Moment({ at, nowMs }: { readonly at: string; readonly nowMs: number }) {
  return (
    <time dateTime={at} title={formatMoment(at)}>
      {formatAge(at, nowMs)}
    </time>
  );
}
