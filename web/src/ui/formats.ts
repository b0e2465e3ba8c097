const UNITS = ["bytes", "kB", "MB", "GB", "TB", "PB"] as const;
const KILO = 1000;
const MINUTE_SECONDS = 60;
const HOUR_SECONDS = 3600;
const DAY_SECONDS = 86_400;
const UNKNOWN = "unknown";

/** A number of bytes for people, in powers of 1000; `unknown` for what is no such number. */
export function formatBytes(bytes: number): string {
  if (!Number.isFinite(bytes) || bytes < 0) return UNKNOWN;
  let value = bytes;
  let unit = 0;
  while (Math.round(value) >= KILO && unit < UNITS.length - 1) {
    value /= KILO;
    unit++;
  }
  const digits = unit === 0 || value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return `${value.toFixed(digits)} ${bytes === 1 ? "byte" : UNITS[unit]}`;
}

/** A byte offset or count in full, grouped in threes. */
export function formatExact(value: number): string {
  return Number.isFinite(value) ? value.toLocaleString("en") : UNKNOWN;
}

/** A length of time for people: `0.4 s`, `12 s`, `3 min 05 s`, `1 h 02 min`, `2 d 3 h`. */
export function formatSeconds(seconds: number): string {
  if (!Number.isFinite(seconds) || seconds < 0) return UNKNOWN;
  if (seconds < 9.95 && !Number.isInteger(seconds)) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  const two = (value: number): string => String(Math.floor(value)).padStart(2, "0");
  if (whole < MINUTE_SECONDS) return `${whole} s`;
  if (whole < HOUR_SECONDS) return `${Math.floor(whole / MINUTE_SECONDS)} min ${two(whole % MINUTE_SECONDS)} s`;
  const minutes = (whole % HOUR_SECONDS) / MINUTE_SECONDS;
  if (whole < DAY_SECONDS) return `${Math.floor(whole / HOUR_SECONDS)} h ${two(minutes)} min`;
  return `${Math.floor(whole / DAY_SECONDS)} d ${Math.floor((whole % DAY_SECONDS) / HOUR_SECONDS)} h`;
}

/** A place in a recording as players show it: `0:05`, `12:34`, `1:02:03`. */
export function formatClock(seconds: number): string {
  if (!Number.isFinite(seconds) || seconds < 0) return UNKNOWN;
  const whole = Math.floor(seconds);
  const two = (value: number): string => String(value).padStart(2, "0");
  const hours = Math.floor(whole / HOUR_SECONDS);
  const minutes = Math.floor((whole % HOUR_SECONDS) / MINUTE_SECONDS);
  return `${hours > 0 ? `${hours}:${two(minutes)}` : minutes}:${two(whole % MINUTE_SECONDS)}`;
}

/** A bit rate for people: `365 kbit/s`, `4.63 Mbit/s`. */
export function formatBitRate(bitsPerSecond: number): string {
  if (!Number.isFinite(bitsPerSecond) || bitsPerSecond < 0) return UNKNOWN;
  const kilobits = bitsPerSecond / KILO;
  if (Math.round(kilobits) < KILO) return `${Math.round(kilobits)} kbit/s`;
  return `${(kilobits / KILO).toFixed(kilobits < 10 * KILO ? 2 : 1)} Mbit/s`;
}

/** US dollars for people: `$12.34`, below a dollar with two digits that count; `unknown` where there is no amount. */
export function formatUsd(usd: number | null): string {
  if (usd === null || !Number.isFinite(usd)) return UNKNOWN;
  if (usd >= 1) return `$${usd.toLocaleString("en", { minimumFractionDigits: 2, maximumFractionDigits: 2 })}`;
  return `$${usd.toLocaleString("en", { maximumSignificantDigits: 2, maximumFractionDigits: 20 })}`;
}

/** A share from 0 to 1 in per cent; never 100 % of what is not whole, never 0 % of what is not nothing. */
export function formatShare(share: number): string {
  if (!Number.isFinite(share)) return UNKNOWN;
  const percent = Math.min(100, Math.max(0, share * 100));
  if (percent > 99 && percent < 100) return `${Math.floor(percent * 10) / 10} %`;
  if (percent > 0 && percent < 0.1) return "under 0.1 %";
  if (percent > 0 && percent < 1) return `${Math.floor(percent * 10) / 10} %`;
  return `${Math.floor(percent)} %`;
}

/** A share from 0 to 1 in per cent with one digit behind the point, rounded down. */
export function formatFineShare(share: number): string {
  if (!Number.isFinite(share)) return UNKNOWN;
  return share >= 1 ? "100 %" : `${(Math.floor(Math.max(0, share) * KILO) / 10).toFixed(1)} %`;
}

/** How long ago a time was, for people. */
export function formatAge(at: string, nowMs: number): string {
  const seconds = (nowMs - Date.parse(at)) / KILO;
  if (!Number.isFinite(seconds)) return UNKNOWN;
  if (seconds < 10) return "just now";
  if (seconds < MINUTE_SECONDS) return `${Math.floor(seconds)} s ago`;
  if (seconds < HOUR_SECONDS) return `${Math.floor(seconds / MINUTE_SECONDS)} min ago`;
  if (seconds < DAY_SECONDS) return `${Math.floor(seconds / HOUR_SECONDS)} h ago`;
  return `${Math.floor(seconds / DAY_SECONDS)} d ago`;
}

/** Date and time of day where the user is. */
export function formatMoment(at: string): string {
  const moment = new Date(at);
  if (Number.isNaN(moment.getTime())) return UNKNOWN;
  const two = (value: number): string => String(value).padStart(2, "0");
  const day = `${moment.getFullYear()}-${two(moment.getMonth() + 1)}-${two(moment.getDate())}`;
  return `${day} ${two(moment.getHours())}:${two(moment.getMinutes())}:${two(moment.getSeconds())}`;
}

/** `1 file`, `2 files`. */
export function formatCount(count: number, one: string, many = `${one}s`): string {
  return `${formatExact(count)} ${count === 1 ? one : many}`;
}

/** A name from outside with control and direction characters made visible, so that it cannot pass for another. */
export function showName(name: string): string {
  return name.replace(
    /[\p{Cc}\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu,
    (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
  );
}

/** Where the server keeps uploads and outputs, and what it calls watch folders and the folders in them. */
const PLACES = /\b(?:(?:uploads|outputs)\/[\da-f-]{32,36}\/|watch-[\da-f]{12}\/(?:[^\s/]+\/)*)(?=\S)/g;

/** A message as `showName` shows it, with files named as the user named them: without where the server keeps them. */
export function showMessage(message: string): string {
  return showName(message.replace(PLACES, ""));
}

/** `maxConcurrentTasks`, `job.stage` or `MIN_AGE` as words. */
export function showWords(name: string): string {
  const words = name
    .replace(/([a-z\d])([A-Z])/g, "$1 $2")
    .replace(/[._-]+/g, " ")
    .toLowerCase();
  return words.charAt(0).toUpperCase() + words.slice(1);
}
