/** A cue of subtitles, in milliseconds. */
export interface Cue {
  readonly startMs: number;
  readonly endMs: number;
  /** Name of its style. */
  readonly style: string;
  /** As it stands in SubStation Alpha, with its marks. */
  readonly text: string;
}

/** Subtitles as SubStation Alpha has them. */
export interface Script {
  /** The lines that are no cues: styles and the like. */
  readonly head: readonly string[];
  readonly cues: readonly Cue[];
}

/** Of more cues at a time, as hostile files and drawn signs have them, those that came last are shown. */
const MAX_SHOWN_CUES = 8;
/** A longer cue has no end that was told. */
const MAX_CUE_MS = 24 * 3_600_000;

/** Layer, start, end, style, name, three margins, effect, text. */
const CUE = /^Dialogue: [^,]*,(\d+):(\d\d):(\d\d)\.(\d\d),(\d+):(\d\d):(\d\d)\.(\d\d),([^,]*),(?:[^,]*,){5}(.*)$/;

/** SubStation Alpha as ffmpeg writes it; undefined where a cue has no times, or no end that was told. */
export function parseScript(text: string): Script | undefined {
  const lines = text.split(/\r?\n/).filter((line) => line !== "");
  const told = lines.filter((line) => line.startsWith("Dialogue:"));
  const cues = told.flatMap((line) => parseCue(line) ?? []);
  const head = lines.filter((line) => !line.startsWith("Dialogue:"));
  return cues.length === told.length ? { head, cues } : undefined;
}

function parseCue(line: string): Cue | undefined {
  const match = CUE.exec(line);
  if (match === null) return undefined;
  const at = (first: number): number =>
    ((Number(match[first]) * 60 + Number(match[first + 1])) * 60 + Number(match[first + 2])) * 1000 +
    Number(match[first + 3]) * 10;
  const [startMs, endMs] = [at(1), at(5)];
  if (endMs - startMs > MAX_CUE_MS) return undefined;
  return { startMs, endMs, style: match[9] as string, text: match[10] as string };
}

/** The script as text; its times are in hundredths of a second. */
export function serializeScript({ head, cues }: Script): string {
  const lines = cues.map(
    ({ startMs, endMs, style, text }) => `Dialogue: 0,${shown(startMs)},${shown(endMs)},${style},,0,0,0,,${text}`,
  );
  return [...head, ...lines, ""].join("\n");
}

function shown(atMs: number): string {
  const part = (value: number): string => String(Math.floor(value)).padStart(2, "0");
  const clock = [Math.floor(atMs / 3_600_000), part((atMs / 60_000) % 60), part((atMs / 1000) % 60)];
  return `${clock.join(":")}.${part((atMs % 1000) / 10)}`;
}

/** Whether some cue begins before another has ended. */
export function doOverlap(cues: readonly Cue[]): boolean {
  let endMs = Number.NEGATIVE_INFINITY;
  return cues
    .toSorted((a, b) => a.startMs - b.startMs)
    .some((cue) => {
      const isOver = cue.startMs < endMs && cue.endMs > cue.startMs;
      endMs = Math.max(endMs, cue.endMs);
      return isOver;
    });
}

/**
 * The same as cues of which one follows the other: where several are shown, one with the lines of all, the earlier ones first, a text that stands there
 * twice once; no more than eight. Cues that last for no time are left out.
 */
export function flattenCues(cues: readonly Cue[]): readonly Cue[] {
  const edges = cues
    .filter(({ startMs, endMs }) => endMs > startMs)
    .flatMap((cue) => [
      { atMs: cue.startMs, cue, isStart: true },
      { atMs: cue.endMs, cue, isStart: false },
    ])
    .toSorted((a, b) => a.atMs - b.atMs || Number(a.isStart) - Number(b.isStart));
  const flat: Cue[] = [];
  let active: readonly Cue[] = [];
  for (const [index, { atMs, cue, isStart }] of edges.entries()) {
    active = isStart ? [...active, cue].slice(-MAX_SHOWN_CUES) : active.filter((one) => one !== cue);
    const endMs = edges[index + 1]?.atMs ?? atMs;
    if (active.length === 0 || endMs === atMs) continue;
    const shownCue = { startMs: atMs, endMs, ...unite(active) };
    const last = flat.at(-1);
    const goesOn = last?.endMs === atMs && last.style === shownCue.style && last.text === shownCue.text;
    if (goesOn) flat.splice(-1, 1, { ...last, endMs });
    else flat.push(shownCue);
  }
  return flat;
}

/** Of the first one's style; each line of another cue begins with its own, which also ends what the one before marked. */
function unite(cues: readonly Cue[]): Pick<Cue, "style" | "text"> {
  const [first, ...others] = new Set(cues.map(({ style, text }) => `{\\r${style}}${text}`));
  const style = cues[0]?.style ?? "";
  return { style, text: [(first ?? "").slice(`{\\r${style}}`.length), ...others].join("\\N") };
}
