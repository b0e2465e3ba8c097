/** Writes the generated pages of docs/reference. `npm test` fails while they differ from their sources. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { renderReferencePages } from "./reference-pages.ts";

const root = fileURLToPath(new URL("..", import.meta.url));

for (const [path, text] of renderReferencePages()) {
  writeFileSync(join(root, path), text);
  console.log(path);
}
