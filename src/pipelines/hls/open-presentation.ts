import { realpathSync } from "node:fs";
import { join, sep } from "node:path";
import { ReelmillError } from "../../base/errors.ts";
import { openFileSource } from "../../base/file-source.ts";
import type { OpenSource } from "../../media/hls/check/presentation.ts";

/**
 * Opens the files of a presentation that lies in `folder`, by their paths below it. Each open throws INPUT_NOT_FOUND and the
 * like, INPUT_UNREADABLE where a symbolic link leads out of the folder, and ABORTED.
 */
export function presentationOpener(folder: string): OpenSource {
  return async (path, signal) => {
    if (signal.aborted) throw new ReelmillError("ABORTED", "The check was cancelled.");
    const full = join(folder, ...path.split("/"));
    const source = openFileSource(full);
    try {
      // Asked for once it is open: the descriptor stays, whatever becomes of the name.
      const root = realpathSync(folder);
      if (realpathSync(full).startsWith(root.endsWith(sep) ? root : root + sep)) return source;
    } catch (cause) {
      source.close();
      throw new ReelmillError("INPUT_UNREADABLE", `${full} went away while it was opened.`, { cause });
    }
    source.close();
    throw new ReelmillError("INPUT_UNREADABLE", `${full} is a link that leads out of the presentation's folder.`);
  };
}
