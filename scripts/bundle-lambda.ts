import { rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";

/*
 * Puts the functions and all that they need into a few files, for the image: a cold start reads some of these and not a thousand modules. They lie
 * as deep as the sources, which look for the manifest by that. `reelmill-lambda` runs them where they are.
 */

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const OUTPUT = fileURLToPath(new URL("../dist/apps/lambda", import.meta.url));

rmSync(OUTPUT, { recursive: true, force: true });
const bundle = await rolldown({
  cwd: ROOT,
  input: {
    main: "src/apps/lambda/main.ts",
    // Started as a thread, by its name beside what starts it.
    "repair-thread": "src/pipelines/repair/ranged/repair-thread.ts",
    // By themselves for what measures them.
    functions: "src/apps/lambda/functions.ts",
    open: "src/apps/lambda/open.ts",
  },
  platform: "node",
});
const { output } = await bundle.write({ dir: OUTPUT, format: "esm", minify: true });
await bundle.close();
const bytes = output.reduce((sum, file) => sum + (file.type === "chunk" ? file.code.length : file.source.length), 0);
process.stdout.write(`${output.length} files, ${(bytes / 1e6).toFixed(1)} MB: ${OUTPUT}\n`);
