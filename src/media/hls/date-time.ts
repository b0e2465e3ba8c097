const DATE_TIME =
  /^(?<year>\d{4})-(?<month>\d{2})-(?<day>\d{2})T(?<hours>\d{2}):(?<minutes>\d{2})(?::(?<seconds>\d{2})(?<fraction>[.,]\d+)?)?(?:Z|(?<sign>[+-])(?<zoneHours>\d{2})(?::?(?<zoneMinutes>\d{2}))?)?$/;
const MINUTE_MS = 60_000;

/**
 * Reads a date and time as ISO 8601 has it (RFC 8216bis §4.4.4.6): milliseconds since 1970 in UTC, which stands for a zone that is not told.
 * Undefined where it is none, or the calendar has none such.
 */
export function parseDateTime(text: string): number | undefined {
  const parts = DATE_TIME.exec(text)?.groups;
  if (parts === undefined) return undefined;
  const part = (name: string): number => Number(parts[name] ?? 0);
  const [hours, minutes, seconds, zoneMinutes] = [part("hours"), part("minutes"), part("seconds"), part("zoneMinutes")];
  // A leap second is the 60th.
  if (hours > 23 || minutes > 59 || seconds > 60 || part("zoneHours") > 23 || zoneMinutes > 59) return undefined;
  const day = new Date(0);
  day.setUTCFullYear(part("year"), part("month") - 1, part("day"));
  if (day.getUTCMonth() !== part("month") - 1 || day.getUTCDate() !== part("day")) return undefined;
  const zone = (parts["sign"] === "-" ? -1 : 1) * (60 * part("zoneHours") + zoneMinutes);
  const fraction = Number((parts["fraction"] ?? ".0").replace(",", "."));
  return day.getTime() + (60 * hours + minutes - zone) * MINUTE_MS + (seconds + fraction) * 1000;
}
