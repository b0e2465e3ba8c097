import { useState } from "react";
import type { CostView, Json, NewJob } from "../../api/types.ts";
import { useApi } from "../../auth/api-context.ts";
import { useLoaded } from "../../live/use-loaded.ts";
import { useSettled } from "../../live/use-settled.ts";
import { formatSeconds, formatUsd } from "../../ui/formats.ts";

/** Each letter that is typed into the form makes another job. */
const SETTLE_MS = 400;

/** What the job of the form would cost on AWS. Says nothing until that is known; where nothing can tell, it says why. */
export function CostNote({ pipeline, params }: { readonly pipeline: string; readonly params: Json }) {
  const api = useApi();
  const asked = useSettled(JSON.stringify({ pipeline, params }), SETTLE_MS);
  const { data } = useLoaded(
    (signal) => api.estimateCost(JSON.parse(asked) as Pick<NewJob, "pipeline" | "params">, signal),
    asked,
    null,
  );
  // Kept over the moments in which there is nothing to show: another job's note is as open as the one before.
  const [isOpen, setIsOpen] = useState(false);
  if (data === undefined) return null;
  const { estimate, reason } = data;
  if (estimate === null) return <p className="hint">What it would cost on AWS: {reason}</p>;
  const { spotUsd, onDemandUsd } = estimate.job;
  return (
    <details open={isOpen} onToggle={({ currentTarget }) => setIsOpen(currentTarget.open)}>
      <summary>
        On AWS about {formatUsd(spotUsd)} on spot, {formatUsd(onDemandUsd)} on demand
      </summary>
      <CostDetails cost={estimate} />
    </details>
  );
}

function CostDetails({ cost }: { readonly cost: CostView }) {
  const { resources, seconds, basis, storageMonth, mediaConvert, notIncluded, notes, prices } = cost;
  const lines = [
    `It would take ${formatSeconds(seconds)} on ${resources}.`,
    basis,
    `Its recordings and outputs: ${formatUsd(storageMonth.spotUsd)} for each month that they are kept.`,
    ...mediaConvert.map(({ tier, usd, reason }) =>
      usd === null
        ? `MediaConvert, ${tier} tier: not known, ${reason}.`
        : `MediaConvert, ${tier} tier, by its list price: ${formatUsd(usd)}.`,
    ),
    ...notes,
    ...notIncluded.map((line) => `Not included: ${line}`),
    `Prices: ${prices.regions.join(", ")}, known as of ${prices.oldest} to ${prices.newest}.`,
  ];
  return (
    <ul className="hint">
      {lines.map((line) => (
        <li key={line}>{line}</li>
      ))}
    </ul>
  );
}
