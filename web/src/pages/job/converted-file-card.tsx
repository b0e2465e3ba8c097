import type { ConvertResult } from "../../api/convert-types.ts";
import { formatBytes, formatCount, formatSeconds } from "../../ui/formats.ts";
import { Icon } from "../../ui/icon.tsx";
import { Name } from "../../ui/name.tsx";
import { CheckList } from "./check-list.tsx";
import { Output } from "./output.tsx";

/** What a recording was converted to, and how that was proven. */
export function ConvertedFileCard({ result: { output, report } }: { readonly result: ConvertResult }) {
  const { encoder, pictures, durationSeconds, inputBytes, outputBytes, findings, checks } = report;
  const figures = [
    encoder === "copy" ? "pictures copied" : encoder,
    pictures === null ? null : formatCount(pictures, "picture"),
    durationSeconds === null ? null : formatSeconds(durationSeconds),
    `${formatBytes(inputBytes)} → ${formatBytes(outputBytes)} (${Math.round((100 * outputBytes) / inputBytes)} %)`,
  ];
  return (
    <article className="card stack">
      <Output objectKey={output} />
      <p className="muted">{figures.filter((figure) => figure !== null).join(" · ")}</p>
      {findings.map((finding) => (
        <p key={finding} className="note">
          <Icon name="info" />
          <Name text={finding} />
        </p>
      ))}
      <CheckList checks={checks} />
    </article>
  );
}
