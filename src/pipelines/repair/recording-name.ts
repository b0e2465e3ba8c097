import { extname } from "node:path";

const EXTENSIONS: ReadonlySet<string> = new Set([".mp4", ".mov", ".mkv", ".avi", ".m4v"]);

/** Whether a file or object of that name is taken up unasked: a recording by its extension, not hidden, not another program's temporary one. */
export function isRecordingName(name: string): boolean {
  return EXTENSIONS.has(extname(name).toLowerCase()) && !/^(\.|~\$)/.test(name) && !/[/\0]/.test(name);
}
