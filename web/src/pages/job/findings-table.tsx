import { useState } from "react";
import type { Finding } from "../../api/repair-types.ts";
import { Button } from "../../ui/button.tsx";
import { DataTable } from "../../ui/data-table.tsx";
import { formatBytes, formatCount, formatExact, formatSeconds } from "../../ui/formats.ts";
import { Name } from "../../ui/name.tsx";
import { KIND_LABELS } from "./damage-strip.tsx";

const SHOWN_FIRST = 50;

/** The damage strip in words and numbers. */
export function FindingsTable({ findings }: { readonly findings: readonly Finding[] }) {
  const [isAll, setIsAll] = useState(false);
  if (findings.length === 0) return null;
  const shown = isAll ? findings : findings.slice(0, SHOWN_FIRST);
  return (
    <details>
      <summary>{formatCount(findings.length, "finding")} by byte range</summary>
      <DataTable
        caption="Findings in the damaged file"
        columns={[
          "What",
          { title: "From byte", isNumber: true },
          { title: "To byte", isNumber: true },
          { title: "Length", isNumber: true },
          { title: "Time lost", isNumber: true },
          "What was done",
        ]}
      >
        {shown.map((finding) => (
          <tr key={`${finding.kind} ${finding.startOffset} ${finding.endOffset}`}>
            <td>{KIND_LABELS[finding.kind] ?? finding.kind}</td>
            <td className="number">{formatExact(finding.startOffset)}</td>
            <td className="number">{formatExact(finding.endOffset)}</td>
            <td className="number">{formatBytes(finding.endOffset - finding.startOffset)}</td>
            <td className="number">{finding.lostSeconds === undefined ? "–" : formatSeconds(finding.lostSeconds)}</td>
            <td>
              <Name text={finding.action} />
            </td>
          </tr>
        ))}
      </DataTable>
      {shown.length < findings.length && (
        <Button kind="quiet" onClick={() => setIsAll(true)}>
          Show all {findings.length}
        </Button>
      )}
    </details>
  );
}
