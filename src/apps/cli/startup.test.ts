import { readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const FOLDER = dirname(fileURLToPath(import.meta.url));

/** What reads and writes recordings; a sentence of advice aside. */
const ENGINES = /^\.\.[/\\]\.\.[/\\](media|repair(?!.reference-advice)|spans)\b|stages\.ts|work-object/;

/** The files of this folder, and the packages, that a file needs before it runs; types are gone by then. */
function loadedBy(file: string, found = new Set<string>()): ReadonlySet<string> {
  const path = join(FOLDER, file);
  if (found.has(file)) return found;
  found.add(file);
  const text = readFileSync(path, "utf8");
  for (const [, names = "", specifier = ""] of text.matchAll(/^(?:import|export) ([^;]*?)from "([^"]+)";$/gms)) {
    const parts = names.replace(/[{}]/g, "").split(",");
    if (names.startsWith("type ") || parts.every((part) => /^\s*(type\s.*)?$/s.test(part))) continue;
    if (specifier.startsWith(".")) loadedBy(relative(FOLDER, join(dirname(path), specifier)), found);
    else found.add(specifier);
  }
  return found;
}

describe("the start of the command line", () => {
  it("waits for no schema library, no logger, nothing that talks to a server", () => {
    const loaded = [...loadedBy("main.ts"), ...loadedBy("program.ts")];
    expect(loaded).toContain(join("remote", "commands.ts"));
    expect(loaded.filter((name) => /^(client|remote)\b|^zod$|^pino$/.test(name))).toEqual([
      join("remote", "commands.ts"),
    ]);
  });

  it("of the batch worker waits for nothing of AWS", () => {
    const loaded = [...loadedBy("worker.ts")];
    expect(loaded).toContain(join("..", "local-wiring.ts"));
    expect(loaded.filter((name) => /aws/.test(name))).toEqual([]);
  });

  it("of workers, servers and functions waits for nothing that tells traces, metrics or logs of others", () => {
    for (const program of ["worker", "lambda"]) {
      const loaded = [...loadedBy(join("..", program, "main.ts"))];
      expect(loaded).toContain(join("..", "telemetry.ts"));
      const telling = /adapters.telemetry|trace-settings|log-reader|cloudwatch|xray-signer|smithy/;
      expect(loaded.filter((name) => telling.test(name))).toEqual([]);
    }
    expect([...loadedBy(join("..", "server", "up.ts"))].filter((name) => /telemetry\/|cloudwatch/.test(name))).toEqual(
      [],
    );
  });

  it("of workers, servers and functions waits for nothing that only the work of a pipeline needs", () => {
    for (const program of [join("worker", "main.ts"), join("server", "up.ts"), join("lambda", "main.ts")]) {
      const loaded = [...loadedBy(join("..", program))];
      expect(loaded).toContain(join("..", "..", "pipelines", "hls", "pipeline.ts"));
      expect(loaded.filter((name) => ENGINES.test(name))).toEqual([]);
    }
  });

  it("of repair waits for no schema library either", () => {
    const loaded = [...loadedBy("repair.ts")];
    expect(loaded.length).toBeGreaterThan(20);
    expect(loaded.filter((name) => /^(client|remote)\b|^zod$|^pino$/.test(name))).toEqual([]);
  });
});
