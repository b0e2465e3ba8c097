import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Dashboard } from "./dependencies.ts";

/** Also from the files that the functions are bundled into, which lie as deep. */
const FOLDER = fileURLToPath(new URL("../../../web/dist", import.meta.url));

/** The dashboard that was built beside the sources; undefined where none was. */
export function findDashboard(findStore: Dashboard["findStore"]): Dashboard | undefined {
  return existsSync(join(FOLDER, "index.html")) ? { folder: FOLDER, findStore } : undefined;
}
