import type { HlsReport, HlsResult } from "../../../api/hls-types.ts";
import { baseName, objectUrl } from "../../../api/object-urls.ts";
import type { Check } from "../../../api/repair-types.ts";
import { useApi } from "../../../auth/api-context.ts";
import { useLoaded } from "../../../live/use-loaded.ts";
import { Loading } from "../../../ui/empty.tsx";
import { ErrorNote } from "../../../ui/error-note.tsx";
import { formatBytes, formatCount, formatSeconds } from "../../../ui/formats.ts";
import { Icon } from "../../../ui/icon.tsx";
import { Name } from "../../../ui/name.tsx";
import { Path } from "../../../ui/path.tsx";
import { CheckList } from "../check-list.tsx";
import { BitRatePlot } from "./bit-rate-plot.tsx";
import { PackagePlayer } from "./package-player.tsx";
import { readLadder } from "./read-ladder.ts";
import { readThumbnails } from "./read-thumbnails.ts";
import { VariantTable } from "./variant-table.tsx";

interface PackageCardProps {
  readonly result: HlsResult;
  /** Whether it has a poster and thumbnails. */
  readonly hasPictures: boolean;
}

/** An HLS package: played, and what it was measured to be. */
export function PackageCard({ result: { playlist, report }, hasPictures }: PackageCardProps) {
  const api = useApi();
  const folder = playlist.slice(0, -baseName(playlist).length);
  const ladder = useLoaded((signal) => readLadder(api, playlist, signal), playlist, null);
  const thumbnails = useLoaded(
    async (signal) => (hasPictures ? await readThumbnails(api, folder, signal) : []),
    `${folder} ${hasPictures}`,
    null,
  );
  return (
    <article className="card stack">
      <PackagePlayer
        url={objectUrl(playlist)}
        posterUrl={hasPictures ? objectUrl(`${folder}poster.jpg`) : undefined}
        durationSeconds={report.durationSeconds}
        thumbnails={thumbnails.data ?? []}
      />
      {thumbnails.error !== undefined && <ErrorNote error={thumbnails.error} title="There are no thumbnails" />}
      <p className="muted">{describe(report)}</p>
      <p>
        Address for players: <Path text={location.origin + objectUrl(playlist)} />
      </p>
      {report.findings.map((finding) => (
        <p key={finding} className="note">
          <Icon name="info" />
          <Name text={finding} />
        </p>
      ))}
      <CheckList checks={[rulesCheck(report)]} />
      <VariantTable variants={report.variants} />
      {ladder.error !== undefined && <ErrorNote error={ladder.error} title="The bit rates cannot be shown" />}
      {ladder.data === undefined ? (
        ladder.error === undefined && <Loading what="the bit rates" />
      ) : (
        <BitRatePlot rungs={ladder.data} />
      )}
    </article>
  );
}

function describe({ encoder, pictures, durationSeconds, inputBytes, outputBytes }: HlsReport): string {
  const sizes = `${formatBytes(inputBytes)} → ${formatBytes(outputBytes)}`;
  return [encoder, formatCount(pictures, "picture"), formatSeconds(durationSeconds), sizes].join(" · ");
}

function rulesCheck({ rules: { passed, mustsFailed, shouldsFailed } }: HlsReport): Check {
  const broken = mustsFailed + shouldsFailed;
  return {
    name: "rules",
    status: mustsFailed > 0 ? "failed" : shouldsFailed > 0 ? "warning" : "passed",
    detail: `${formatCount(passed, "rule")} kept${broken === 0 ? "" : `; ${mustsFailed} musts and ${shouldsFailed} shoulds broken`}.`,
  };
}
