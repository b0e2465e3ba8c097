import { showWords } from "./formats.ts";
import type { IconName } from "./icon.tsx";
import { Icon } from "./icon.tsx";

/** Colour and picture of the states of jobs, tasks, files and deliveries. */
const LOOKS: Readonly<Record<string, IconName>> = {
  queued: "queued",
  waiting: "queued",
  pending: "queued",
  growing: "queued",
  running: "running",
  repairing: "running",
  sending: "running",
  succeeded: "succeeded",
  repaired: "succeeded",
  healthy: "succeeded",
  passed: "succeeded",
  delivered: "succeeded",
  done: "succeeded",
  exported: "succeeded",
  partial: "partial",
  warning: "partial",
  stable: "partial",
  misnamed: "partial",
  "waiting-for-reference": "pause",
  paused: "pause",
  failed: "failed",
  quarantined: "failed",
  dead: "failed",
  cancelled: "cancelled",
  skipped: "cancelled",
};

interface StatusBadgeProps {
  readonly status: string;
  /** Other words than the state's own. */
  readonly label?: string | undefined;
}

/** A state by colour, picture and word. */
export function StatusBadge({ status, label }: StatusBadgeProps) {
  const icon = Object.hasOwn(LOOKS, status) ? (LOOKS[status] ?? "info") : "info";
  return (
    <span className={`badge look-${icon}`}>
      <Icon name={icon} />
      {label ?? showWords(status)}
    </span>
  );
}
