import type { FindingKind, RepairReport } from "../../api/repair-types.ts";
import { formatBytes, formatExact, formatFineShare } from "../../ui/formats.ts";
import { layoutDamage, sumByKind } from "./damage-layout.ts";

/** What a kind of finding is called. */
export const KIND_LABELS: Readonly<Record<FindingKind, string>> = {
  lost: "Lost",
  "damaged-packet": "Damaged picture or sound",
  "cut-packet": "Cut off at the end",
  zeros: "Zeros, never written",
  padding: "Padding of the recorder",
};

interface DamageStripProps {
  readonly report: RepairReport;
  /** Length of the damaged file. */
  readonly totalBytes: number;
}

/** The damaged file from its first byte to its last: what was found in it, where. */
export function DamageStrip({ report, totalBytes }: DamageStripProps) {
  const stretches = layoutDamage(report.findings, totalBytes);
  const sums = sumByKind(report.findings);
  return (
    <figure className="strip-figure">
      <div className="strip" role="img" aria-label={describe(report, totalBytes, sums)}>
        {stretches.map((stretch) => (
          <span
            key={`${stretch.kind} ${stretch.startOffset} ${stretch.endOffset}`}
            className={`strip-part kind-${stretch.kind}`}
            style={{ insetInlineStart: `${stretch.left * 100}%`, inlineSize: `${stretch.width * 100}%` }}
            title={`${KIND_LABELS[stretch.kind]}: bytes ${formatExact(stretch.startOffset)} to ${formatExact(stretch.endOffset)}`}
          />
        ))}
      </div>
      <div className="strip-scale" aria-hidden="true">
        <span>0</span>
        <span>{formatBytes(totalBytes / 2)}</span>
        <span>{formatBytes(totalBytes)}</span>
      </div>
      <figcaption>
        <ul className="legend">
          <li>
            <span className="swatch kind-recovered" /> Recovered, or structure of the file
          </li>
          {[...sums].map(([kind, bytes]) => (
            <li key={kind}>
              <span className={`swatch kind-${kind}`} /> {KIND_LABELS[kind] ?? kind}{" "}
              <span className="muted number">{formatBytes(bytes)}</span>
            </li>
          ))}
        </ul>
      </figcaption>
    </figure>
  );
}

function describe(report: RepairReport, totalBytes: number, sums: ReadonlyMap<FindingKind, number>): string {
  const parts = [...sums].map(([kind, bytes]) => `${KIND_LABELS[kind] ?? kind}: ${formatBytes(bytes)}`);
  const found = parts.length === 0 ? "nothing lost" : parts.join(", ");
  return `Map of the damaged file, ${formatBytes(totalBytes)}: ${formatFineShare(report.confidence)} recovered; ${found}. The table of findings says where.`;
}
