const BYTE_UNITS = ["B", "kB", "MB", "GB", "TB"] as const;

/** A count with its noun, as `1 packet`, `2 packets`. `plural` is for nouns that take more than an s. */
export function formatCount(count: number, noun: string, plural = `${noun}s`): string {
  return `${count} ${count === 1 ? noun : plural}`;
}

/** A byte count in decimal units with three significant digits, such as `1.23 GB`. Throws nothing; negative counts keep their sign. */
export function formatBytes(bytes: number): string {
  let value = Math.abs(bytes);
  let unit = 0;
  // 999.5 would round up to a four-digit figure, so it belongs to the next unit already.
  while (value >= 999.5 && unit < BYTE_UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const digits = unit === 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
  return `${bytes < 0 ? "-" : ""}${value.toFixed(digits)} ${BYTE_UNITS[unit]}`;
}

/** A byte count as people write it: `700MB`, `1.5 GB`, `650 MiB`, or bytes without a unit. Undefined where it is none, or below 1. */
export function parseBytes(text: string): number | undefined {
  const [, digits, prefix = "", binary] = /^(\d{1,15}(?:\.\d{1,6})?) ?(?:([kmgt])(i?))?b?$/i.exec(text) ?? [];
  if (digits === undefined) return undefined;
  const power = 1 + "kmgt".indexOf(prefix.toLowerCase());
  const bytes = Math.floor(Number(digits) * (binary ? 1024 : 1000) ** (prefix === "" ? 0 : power));
  return bytes >= 1 && Number.isSafeInteger(bytes) ? bytes : undefined;
}

/** A position or length in a recording, in seconds, as `m:ss.mmm` or `h:mm:ss.mmm`; negative values keep their sign. */
export function formatMediaSeconds(seconds: number): string {
  const totalMs = Math.round(Math.abs(seconds) * 1000);
  const hours = Math.floor(totalMs / 3_600_000);
  const minutes = Math.floor(totalMs / 60_000) % 60;
  const rest = ((totalMs % 60_000) / 1000).toFixed(3).padStart(6, "0");
  const head = hours > 0 ? `${hours}:${String(minutes).padStart(2, "0")}` : String(minutes);
  return `${seconds < 0 && totalMs > 0 ? "-" : ""}${head}:${rest}`;
}

/** How long a piece of work took, in milliseconds ≥ 0, for people: `12 ms`, `3.4 s`, `2 min 5 s`, `1 h 4 min`. */
export function formatElapsedMs(elapsedMs: number): string {
  if (elapsedMs < 999.5) return `${Math.round(elapsedMs)} ms`;
  if (elapsedMs < 59_950) return `${(elapsedMs / 1000).toFixed(1)} s`;
  const seconds = Math.round(elapsedMs / 1000);
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
}
