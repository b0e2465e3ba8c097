import type { HlsVariant } from "../../../api/hls-types.ts";
import { DataTable } from "../../../ui/data-table.tsx";
import { formatBitRate, showName } from "../../../ui/formats.ts";
import { Name } from "../../../ui/name.tsx";

const COLUMNS = [
  "Variant",
  "Size",
  { title: "Pictures/s", isNumber: true },
  { title: "Average", isNumber: true },
  { title: "Peak", isNumber: true },
  "Codecs",
] as const;

/** What a player can choose among, as measured. */
export function VariantTable({ variants }: { readonly variants: readonly HlsVariant[] }) {
  return (
    <DataTable caption="Variants" columns={COLUMNS}>
      {variants.map(({ name, resolution, framesPerSecond, averageBitsPerSecond, peakBitsPerSecond, codecs }) => (
        <tr key={name}>
          <td className="no-wrap">
            <Name text={name} />
          </td>
          <td className="no-wrap">{resolution === null ? "Sound alone" : showName(resolution).replace("x", " × ")}</td>
          <td className="number">{framesPerSecond === null ? "" : Number(framesPerSecond.toFixed(2))}</td>
          <td className="number">{formatBitRate(averageBitsPerSecond)}</td>
          <td className="number">{formatBitRate(peakBitsPerSecond)}</td>
          <td className="no-wrap">
            <code>{showName(codecs.join(", "))}</code>
          </td>
        </tr>
      ))}
    </DataTable>
  );
}
