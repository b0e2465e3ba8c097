import { printableLine } from "../../base/printable.ts";
import { formatElapsedMs } from "../../base/units.ts";
import type { CliContext } from "./cli-context.ts";

const REDRAW_INTERVAL_MS = 100;
const BAR_COLUMNS = 24;
const RETURN_AND_CLEAR = "\r\u001b[K";

/** A line on the terminal that shows how far a piece of work has come. Off a terminal it writes nothing at all. */
export interface ProgressBar {
  /**
   * Shows a fraction from 0 to 1 (values outside are clamped) and, behind it, what is being done. `leftMs` is how long it will
   * still take where somebody knows, null where nobody does; by default it is told from the time taken so far.
   */
  update(fraction: number, detail?: string, leftMs?: number | null): void;
  /** Takes the line away; afterwards other text may be written. `update` begins a new one. */
  clear(): void;
}

/** How long the rest will take, as far as that can be told from the work done so far. */
function estimateLeftMs(fraction: number, elapsedMs: number): number | null {
  const isKnown = elapsedMs > 1000 && fraction > 0.02 && fraction < 1;
  return isKnown ? (elapsedMs * (1 - fraction)) / fraction : null;
}

/** The bar's text, cut to `columns`. */
function formatBar(label: string, fraction: number, detail: string, leftMs: number | null, columns: number): string {
  const filled = Math.round(fraction * BAR_COLUMNS);
  const bar = "█".repeat(filled) + "░".repeat(BAR_COLUMNS - filled);
  const percent = `${Math.floor(fraction * 100)} %`.padStart(5);
  const left = leftMs === null ? "" : `, ${formatElapsedMs(leftMs)} left`;
  return `${printableLine(label)} ${bar} ${percent}${left}${detail === "" ? "" : `  ${printableLine(detail)}`}`.slice(
    0,
    Math.max(0, columns - 1),
  );
}

/** Creates a bar on standard error, redrawn at most ten times a second. `label` stands before it. */
export function createProgressBar(
  context: Pick<CliContext, "writeError" | "isErrorTerminal" | "columns" | "clock">,
  label: string,
): ProgressBar {
  if (!context.isErrorTerminal) return { update: () => undefined, clear: () => undefined };
  const startMs = context.clock.monotonicMs();
  let drawnMs = Number.NEGATIVE_INFINITY;
  let isShown = false;
  return {
    update: (fraction, detail = "", leftMs) => {
      const nowMs = context.clock.monotonicMs();
      if (nowMs - drawnMs < REDRAW_INTERVAL_MS) return;
      drawnMs = nowMs;
      isShown = true;
      const clamped = Math.min(1, Math.max(0, fraction));
      const rest = leftMs === undefined ? estimateLeftMs(clamped, nowMs - startMs) : leftMs;
      const text = formatBar(label, clamped, detail, rest, context.columns);
      context.writeError(RETURN_AND_CLEAR + text);
    },
    clear: () => {
      if (isShown) context.writeError(RETURN_AND_CLEAR);
      isShown = false;
      drawnMs = Number.NEGATIVE_INFINITY;
    },
  };
}
