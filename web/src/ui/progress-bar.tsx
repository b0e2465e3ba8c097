import { formatShare } from "./formats.ts";

interface ProgressBarProps {
  /** From 0 to 1. */
  readonly share: number;
  /** What is under way. */
  readonly label: string;
  readonly look?: string;
}

/** How far something is. */
export function ProgressBar({ share, label, look = "running" }: ProgressBarProps) {
  const percent = Number.isFinite(share) ? Math.min(100, Math.max(0, share * 100)) : 0;
  return (
    <div
      className={`progress look-${look}`}
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={Math.floor(percent)}
      aria-valuetext={formatShare(share)}
    >
      <div className="progress-fill" style={{ inlineSize: `${percent}%` }} />
    </div>
  );
}
