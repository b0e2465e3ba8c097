import { lazy, type ReactNode, Suspense } from "react";
import type { ConvertResult } from "../../api/convert-types.ts";
import type { HlsResult } from "../../api/hls-types.ts";
import type { RepairResult } from "../../api/repair-types.ts";
import type { JobView, Json } from "../../api/types.ts";
import { Loading } from "../../ui/empty.tsx";
import { formatCount } from "../../ui/formats.ts";
import { Section } from "../../ui/section.tsx";
import { ConvertedFileCard } from "./converted-file-card.tsx";
import { collectOutputs, Output } from "./output.tsx";
import { RepairedFileCard } from "./repaired-file-card.tsx";

/** With the player, which no other page needs. */
const PackageCard = lazy(async () => ({ default: (await import("./package/package-card.tsx")).PackageCard }));

/** What a job made. */
export function JobResult({ job }: { readonly job: JobView }) {
  const { result } = job;
  if (result === null) return null;
  if (job.pipeline === "repair" && isRepairResult(result))
    return <RepairFiles result={result as unknown as RepairResult} />;
  return (
    <Section title="Result">
      {renderResult(job)}
      <details className="card">
        <summary>Report</summary>
        <pre className="code-block">{JSON.stringify(result, null, 2)}</pre>
      </details>
    </Section>
  );
}

function renderResult({ pipeline, params, result }: JobView): ReactNode {
  if (pipeline === "convert" && isConvertResult(result)) {
    return <ConvertedFileCard result={result as unknown as ConvertResult} />;
  }
  if (pipeline === "hls" && isHlsResult(result)) {
    return (
      <Suspense fallback={<Loading what="the player" />}>
        <PackageCard result={result as unknown as HlsResult} hasPictures={!isWithoutPictures(params)} />
      </Suspense>
    );
  }
  return collectOutputs(result).map((key) => (
    <div key={key} className="card stack">
      <Output objectKey={key} />
    </div>
  ));
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
  const { schema, files, summary } = fieldsOf(result);
  return schema === 1 && Array.isArray(files) && summary !== undefined;
}

/** As `isRepairResult`. */
function isConvertResult(result: Json): boolean {
  const { schema, output, report } = fieldsOf(result);
  return schema === 1 && typeof output === "string" && typeof report === "object" && report !== null;
}

/** As `isRepairResult`. */
function isHlsResult(result: Json): boolean {
  const { schema, playlist, report } = fieldsOf(result);
  return schema === 1 && typeof playlist === "string" && typeof report === "object" && report !== null;
}

/** Whether a package was asked for without poster and thumbnails. */
function isWithoutPictures(params: Json): boolean {
  return fieldsOf(params)["thumbnails"] === false;
}

function fieldsOf(value: Json): Readonly<Record<string, Json>> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return {};
  return value as Readonly<Record<string, Json>>;
}
