import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** A past failure: the input, the target that failed on it, and the recording whose healthy form is the reference. */
export interface CorpusEntry {
  readonly name: string;
  readonly target: string;
  readonly recording: string;
  readonly bytes: Uint8Array;
}

/** Where failing inputs are kept: `<name>.bin` beside `<name>.md`, the note of its cause. */
export const CORPUS_FOLDER: string = join(dirname(fileURLToPath(import.meta.url)), "corpus");

/** Reads the corpus. Throws where an input has no note or the note names no target and recording. */
export function readCorpus(folder: string = CORPUS_FOLDER): CorpusEntry[] {
  if (!existsSync(folder)) return [];
  const files = readdirSync(folder).sort();
  return files
    .filter((file) => file.endsWith(".bin"))
    .map((file) => {
      const name = file.slice(0, -".bin".length);
      const note = readFileSync(join(folder, `${name}.md`), "utf8");
      return {
        name,
        target: needField(note, "target", name),
        recording: needField(note, "recording", name),
        bytes: new Uint8Array(readFileSync(join(folder, file))),
      };
    });
}

/** Keeps a failing input with a note; whoever mends the fault replaces its last line by the cause. */
export function saveCorpusEntry(entry: CorpusEntry, details: readonly string[], folder: string = CORPUS_FOLDER): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${entry.name}.bin`), entry.bytes);
  const lines = [`target: ${entry.target}`, `recording: ${entry.recording}`, ...details, "cause: not yet known"];
  writeFileSync(join(folder, `${entry.name}.md`), `${lines.join("\n")}\n`);
}

function needField(note: string, field: string, name: string): string {
  const value = new RegExp(`^${field}: (.+)$`, "m").exec(note)?.[1];
  if (value === undefined) throw new Error(`The note of corpus entry ${name} has no line "${field}: …".`);
  return value;
}
