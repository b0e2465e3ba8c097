import { formatBytes } from "../../ui/formats.ts";

interface UsageBarProps {
  readonly name: string;
  readonly totalBytes: number;
  readonly freeBytes: number;
}

/** How much of something is used; the words say the same as the bar. */
export function UsageBar({ name, totalBytes, freeBytes }: UsageBarProps) {
  const share = totalBytes > 0 ? Math.min(1, Math.max(0, 1 - freeBytes / totalBytes)) : 0;
  return (
    <div className="usage">
      <span>{name}</span>
      <div className="progress look-usage" aria-hidden="true">
        <div className="progress-fill" style={{ inlineSize: `${share * 100}%` }} />
      </div>
      <span className="muted number">
        {formatBytes(freeBytes)} free of {formatBytes(totalBytes)}
      </span>
    </div>
  );
}
