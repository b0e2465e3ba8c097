import type { ConvertResult } from "../../api/convert-types.ts";
import type { RepairResult } from "../../api/repair-types.ts";
import type { JobView, Json } from "../../api/types.ts";
import { formatCount } from "../../ui/formats.ts";
import { Section } from "../../ui/section.tsx";
import { ConvertedFileCard } from "./converted-file-card.tsx";
import { collectOutputs, Output } from "./output.tsx";
import { RepairedFileCard } from "./repaired-file-card.tsx";

/** What a job made. */
export function JobResult({ job }: { readonly job: JobView }) {
  const { result } = job;
  if (result === null) return null;
  if (job.pipeline === "repair" && isRepairResult(result))
    return <RepairFiles result={result as unknown as RepairResult} />;
  const isConverted = job.pipeline === "convert" && isConvertResult(result);
  return (
    <Section title="Result">
      {isConverted ? (
        <ConvertedFileCard result={result as unknown as ConvertResult} />
      ) : (
        collectOutputs(result).map((key) => (
          <div key={key} className="card stack">
            <Output objectKey={key} />
          </div>
        ))
      )}
      <details className="card">
        <summary>Report</summary>
        <pre className="code-block">{JSON.stringify(result, null, 2)}</pre>
      </details>
    </Section>
  );
}

function RepairFiles({ result }: { readonly result: RepairResult }) {
  const { repaired, healthy, failed } = result.summary;
  const counts = [
    `${formatCount(repaired, "file")} repaired`,
    healthy > 0 ? `${healthy} healthy` : null,
    failed > 0 ? `${failed} failed` : null,
  ];
  return (
    <Section title="Result">
      {result.files.length > 1 && <p className="muted">{counts.filter((count) => count !== null).join(" · ")}</p>}
      {result.files.map((file) => (
        <RepairedFileCard key={file.input} file={file} />
      ))}
      <details className="card">
        <summary>Report as JSON</summary>
        <pre className="code-block">{JSON.stringify(result, null, 2)}</pre>
      </details>
    </Section>
  );
}

/** Reports of a later schema are shown as they are rather than misread. */
function isRepairResult(result: Json): boolean {
  if (typeof result !== "object" || result === null || Array.isArray(result)) return false;
  const { schema, files, summary } = result as Readonly<Record<string, Json>>;
  return schema === 1 && Array.isArray(files) && summary !== undefined;
}

/** As `isRepairResult`. */
function isConvertResult(result: Json): boolean {
  if (typeof result !== "object" || result === null || Array.isArray(result)) return false;
  const { schema, output, report } = result as Readonly<Record<string, Json>>;
  return schema === 1 && typeof output === "string" && typeof report === "object" && report !== null;
}
