import type { Check } from "../../api/repair-types.ts";
import { showWords } from "../../ui/formats.ts";
import { Name } from "../../ui/name.tsx";
import { StatusBadge } from "../../ui/status-badge.tsx";

/** What a check is called. */
const CHECKS: Readonly<Record<string, string>> = {
  structure: "Structure",
  packets: "Pictures and sound",
  decode: "Playback",
  durations: "Lengths",
  streams: "Streams",
  pictures: "Pictures",
  times: "Times",
  duration: "Sound",
  rules: "Rules of HLS",
};

/** What was looked at on an output, and what came of it. */
export function CheckList({ checks }: { readonly checks: readonly Check[] }) {
  if (checks.length === 0) return null;
  return (
    <ul className="checks" aria-label="Checks of the output">
      {checks.map(({ name, status, detail }) => (
        <li key={name}>
          <StatusBadge status={status} label={`${CHECKS[name] ?? showWords(name)} ${status}`} />
          <span className="muted">
            <Name text={detail} />
          </span>
        </li>
      ))}
    </ul>
  );
}
