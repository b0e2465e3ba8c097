import { execFile } from "node:child_process";
import { copyFile, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

const importing = (specifier: string): string => `import { x } from "${specifier}";\nexport const y = x;\n`;
const importingType = (specifier: string): string =>
  `import type { X } from "${specifier}";\nexport type Y = readonly X[];\n`;

/** Files that break one rule each: path, text, rule. */
const FORBIDDEN: readonly (readonly [path: string, text: string, rule: string])[] = [
  ["src/base/a.ts", importing("../media/bytes/b.ts"), "noRestrictedImports"],
  ["src/base/b.ts", importingType("../apps/cli/c.ts"), "noRestrictedImports"],
  ["src/media/a.ts", importing("node:fs"), "noRestrictedImports"],
  ["src/media/bytes/b.ts", importing("zod"), "noRestrictedImports"],
  ["src/media/bytes/c.ts", importing("../../repair/r.ts"), "noRestrictedImports"],
  ["src/media/bytes/d.ts", importingType("../../ffmpeg/r.ts"), "noRestrictedImports"],
  [
    "src/media/bytes/e.ts",
    `export async function f() {\n  return await import("../../repair/r.ts");\n}\n`,
    "noRestrictedImports",
  ],
  ["src/media/bytes/f.ts", `export { x } from "../../repair/r.ts";\n`, "noRestrictedImports"],
  ["src/repair/a.ts", importing("../ffmpeg/x.ts"), "noRestrictedImports"],
  ["src/repair/scan/b.ts", importing("../../apps/cli/x.ts"), "noRestrictedImports"],
  ["src/repair/scan/c.ts", importing("node:path"), "noRestrictedImports"],
  ["src/repair/scan/d.ts", importing("pino"), "noRestrictedImports"],
  ["src/ffmpeg/a.ts", importing("../media/x.ts"), "noRestrictedImports"],
  ["src/ffmpeg/b.ts", importing("../repair/x.ts"), "noRestrictedImports"],
  ["src/ffmpeg/c.ts", importing("../jobs/x.ts"), "noRestrictedImports"],
  ["src/ffmpeg/d.ts", importing("../spans/x.ts"), "noRestrictedImports"],
  ["src/media/bytes/g.ts", importing("../../spans/x.ts"), "noRestrictedImports"],
  ["src/spans/a.ts", importing("../repair/x.ts"), "noRestrictedImports"],
  ["src/spans/b.ts", importing("../jobs/x.ts"), "noRestrictedImports"],
  ["src/spans/c.ts", importing("../pipelines/convert/x.ts"), "noRestrictedImports"],
  ["src/jobs/a.ts", importing("../ffmpeg/x.ts"), "noRestrictedImports"],
  ["src/jobs/b.ts", importing("../adapters/local/x.ts"), "noRestrictedImports"],
  ["src/jobs/d.ts", importing("../cost/x.ts"), "noRestrictedImports"],
  ["src/cost/a.ts", importing("../pipelines/registry.ts"), "noRestrictedImports"],
  ["src/cost/b.ts", importing("node:fs"), "noRestrictedImports"],
  ["src/pipelines/repair/d.ts", importing("../../cost/x.ts"), "noRestrictedImports"],
  ["src/pipelines/repair/a.ts", importing("../../adapters/local/x.ts"), "noRestrictedImports"],
  ["src/pipelines/repair/b.ts", importing("../../apps/wiring.ts"), "noRestrictedImports"],
  ["src/adapters/local/a.ts", importing("../../pipelines/registry.ts"), "noRestrictedImports"],
  ["src/adapters/local/b.ts", importing("../../media/x.ts"), "noRestrictedImports"],
  ["src/adapters/local/c.ts", importing("@aws-sdk/client-s3"), "noRestrictedImports"],
  ["src/jobs/c.ts", importing("@aws-sdk/client-sqs"), "noRestrictedImports"],
  ["src/pipelines/repair/c.ts", importingType("@aws-sdk/client-s3"), "noRestrictedImports"],
  ["src/apps/l.ts", importing("@aws-sdk/client-s3"), "noRestrictedImports"],
  ["src/apps/cli/d.ts", importing("left-pad"), "noUndeclaredDependencies"],
  ["src/media/cycle/a.ts", `import type { B } from "./b.ts";\nexport interface A {\n  b: B;\n}\n`, "noImportCycles"],
  ["src/media/cycle/b.ts", `import type { A } from "./a.ts";\nexport interface B {\n  a: A;\n}\n`, "noImportCycles"],
  ["src/apps/a.ts", "export default 1;\n", "noDefaultExport"],
  ["src/apps/b.ts", "export const x: any = 1;\n", "noExplicitAny"],
  ["src/apps/c.ts", "export enum E {\n  A = 1,\n}\n", "noEnum"],
  ["src/apps/d.ts", `export const n = (s: string | undefined) => s!.length;\n`, "noNonNullAssertion"],
  ["src/apps/e.ts", `export * from "./b.ts";\n`, "noReExportAll"],
  ["src/apps/f.ts", "export const p = process.env;\n", "noProcessEnv"],
  ["src/apps/g.ts", `console.log("x");\nexport {};\n`, "noConsole"],
  ["src/apps/NotKebab.ts", "export const k = 1;\n", "useFilenamingConvention"],
  ["src/apps/h.ts", "async function f() {}\nf();\nexport {};\n", "noFloatingPromises"],
  ["src/apps/i.ts", `export function f() {\n${"  f();\n".repeat(70)}}\n`, "noExcessiveLinesPerFunction"],
  ["src/apps/j.ts", "export type T = string;\n".repeat(510), "noExcessiveLinesPerFile"],
];

/** Files that follow the rules, at the very edges of what they forbid. */
const ALLOWED: readonly (readonly [path: string, text: string])[] = [
  ["src/media/good/a.ts", importing("../../base/x.ts")],
  ["src/media/good/b.ts", importing("../bytes/g.ts")],
  ["src/media/good/c.ts", importing("./repair.ts")],
  ["src/media/good/d.test.ts", importing("node:fs")],
  ["src/repair/good/a.ts", importing("../../media/bytes/g.ts")],
  ["src/repair/good/b.ts", importing("../../base/x.ts")],
  ["src/ffmpeg/good.ts", `${importing("node:child_process")}export { z } from "zod";\n`],
  ["src/spans/good-a.ts", importing("../media/isobmff/x.ts")],
  ["src/spans/good-b.ts", importing("../ffmpeg/x.ts")],
  ["src/pipelines/good/index.ts", importing("../../repair/x.ts")],
  ["src/pipelines/good/spans.ts", importing("../../spans/x.ts")],
  ["src/pipelines/registry.ts", importing("./repair/index.ts")],
  ["src/cost/good.ts", `${importing("../base/x.ts")}export { z } from "../jobs/ports.ts";\n`],
  ["src/adapters/good/a.ts", importing("../../jobs/ports.ts")],
  ["src/adapters/aws/good.ts", `${importing("@aws-sdk/client-s3")}export { z } from "../../jobs/ports.ts";\n`],
  ["src/apps/good/a.ts", importing("../../repair/x.ts")],
  ["src/apps/good/b.ts", importing("../../ffmpeg/x.ts")],
  ["vitest.config.ts", "export default {};\n"],
];

interface BiomeReport {
  readonly diagnostics: readonly { readonly category: string; readonly location: { readonly path: unknown } }[];
}

let folder: string;
/** Rules broken, by path. */
let broken: Map<string, Set<string>>;

function runLinter(): Promise<BiomeReport> {
  const program = join(ROOT, "node_modules", ".bin", "biome");
  const args = ["lint", "--reporter=json", "--max-diagnostics=none", "."];
  return new Promise((settle, fail) => {
    // The linter exits with 1, as it should; only a report that cannot be read is a failure here.
    execFile(program, args, { cwd: folder, maxBuffer: 64 * 1024 * 1024 }, (_error, output) => {
      try {
        settle(JSON.parse(output));
      } catch (error) {
        fail(error);
      }
    });
  });
}

function pathOf(location: unknown): string {
  return typeof location === "string" ? location : String((location as { readonly file?: unknown } | null)?.file);
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "reelmill-architecture-"));
  await mkdir(join(folder, ".git"));
  for (const file of ["biome.json", "package.json", ".gitignore"]) await copyFile(join(ROOT, file), join(folder, file));
  for (const [path, text] of [...FORBIDDEN, ...ALLOWED]) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
  broken = new Map();
  for (const { category, location } of (await runLinter()).diagnostics) {
    const path = pathOf(location.path);
    broken.set(path, (broken.get(path) ?? new Set()).add(category.split("/").at(-1) ?? ""));
  }
});

afterAll(() => rm(folder, { recursive: true, force: true }));

describe("the house rules bite", () => {
  it.each(FORBIDDEN)("%s breaks a rule", (path, _text, rule) => {
    expect([...(broken.get(path) ?? [])]).toContain(rule);
  });

  it.each(ALLOWED)("%s breaks none", (path) => {
    expect([...(broken.get(path) ?? [])]).toEqual([]);
  });
});
