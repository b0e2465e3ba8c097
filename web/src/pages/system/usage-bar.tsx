import { formatBytes } from "../../ui/formats.ts";

interface UsageBarProps {
  readonly name: string;
  readonly totalBytes: number;
  readonly freeBytes: number;
}

/** How much of something is used. */
export function UsageBar({ name, totalBytes, freeBytes }: UsageBarProps) {
  const usedBytes = Math.max(0, totalBytes - freeBytes);
  return (
    <div className="usage">
      <span>{name}</span>
      <meter min={0} max={totalBytes} value={usedBytes} aria-label={`${name} in use`} />
      <span className="muted number">
        {formatBytes(freeBytes)} free of {formatBytes(totalBytes)}
      </span>
    </div>
  );
}
