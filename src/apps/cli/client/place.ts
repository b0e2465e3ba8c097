import { randomUUID } from "node:crypto";
import { chmodSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Config, Environment } from "../../../base/config-defaults.ts";
import { ReelmillError } from "../../../base/errors.ts";
import { makeFolderSync } from "../../../base/make-folder.ts";
import { systemCodeOf } from "../../../base/system-code.ts";

const USUAL_PORT = 8080;
/** Addresses that stand for all of a machine's. */
const EVERYWHERE: readonly string[] = ["0.0.0.0", "::"];

/** Where `reelmill up` on this machine is to be had, as its settings are; the usual port where it takes a free one. */
export function serverHere({ host, port }: Pick<Config["server"], "host" | "port">): string {
  const name = EVERYWHERE.includes(host) ? "127.0.0.1" : host;
  return `http://${name.includes(":") ? `[${name}]` : name}:${port || USUAL_PORT}`;
}

/** What `reelmill use` notes: where a deployed Reelmill is. Nothing in it is a secret. */
export interface Place {
  /** Name of the stack that has the API. */
  readonly stack: string;
  readonly region: string;
  /** Address of the API. */
  readonly server: string;
  /** File that holds the API key, absolute; undefined where none was named. */
  readonly apiKeyFile?: string;
}

/**
 * The person's own file of it: `reelmill/place.json` where programs keep their settings (XDG Base Directory Specification); undefined where the
 * environment has no such place, as in a container.
 */
export function placeFile(environment: Environment): string | undefined {
  const { XDG_CONFIG_HOME: configured, HOME: home } = environment;
  const folder = configured || (home ? join(home, ".config") : undefined);
  return folder === undefined ? undefined : join(folder, "reelmill", "place.json");
}

/** What was noted; undefined where nothing was. Throws CONFIG_INVALID for a file that cannot be read, or is none of `writePlace`. */
export function readPlace(environment: Environment): Place | undefined {
  const path = placeFile(environment);
  if (path === undefined) return undefined;
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if (systemCodeOf(error) === "ENOENT") return undefined;
    throw unusable(path, error);
  }
  try {
    return parsePlace(JSON.parse(text));
  } catch (error) {
    throw unusable(path, error);
  }
}

/** Notes the place, in the stead of one before; only its owner may read it. Throws OUTPUT_UNWRITABLE, or USAGE where there is no place for it. */
export function writePlace(environment: Environment, place: Place): void {
  const path = placeFile(environment);
  if (path === undefined) {
    throw new ReelmillError("USAGE", "Neither XDG_CONFIG_HOME nor HOME is set: there is no place to note it in.");
  }
  const temporary = `${path}.${randomUUID()}`;
  try {
    makeFolderSync(dirname(path), 0o700);
    writeFileSync(temporary, `${JSON.stringify({ schema: 1, ...place }, null, 2)}\n`, { mode: 0o600, flag: "wx" });
    chmodSync(temporary, 0o600);
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw unwritable(path, error);
  }
}

/** Forgets what was noted. Throws OUTPUT_UNWRITABLE. */
export function forgetPlace(environment: Environment): void {
  const path = placeFile(environment);
  if (path === undefined) return;
  try {
    rmSync(path, { force: true });
  } catch (error) {
    throw unwritable(path, error);
  }
}

/** Without the schema library, which would be half of a short command's start. */
function parsePlace(value: unknown): Place {
  const fields = value as Readonly<Record<string, unknown>> | null;
  const { schema, stack, region, server, apiKeyFile } = fields ?? {};
  const isText = (each: unknown): each is string => typeof each === "string" && each !== "";
  if (schema !== 1 || !isText(stack) || !isText(region) || !isText(server)) throw new Error("it is not of this form");
  if (apiKeyFile !== undefined && !isText(apiKeyFile)) throw new Error("apiKeyFile is no path");
  return { stack, region, server, ...(apiKeyFile === undefined ? {} : { apiKeyFile }) };
}

function unusable(path: string, cause: unknown): ReelmillError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new ReelmillError("CONFIG_INVALID", `What \`reelmill use\` noted in ${path} cannot be read: ${reason}.`, {
    cause,
    advice: "`reelmill use local` forgets it.",
  });
}

function unwritable(path: string, cause: unknown): ReelmillError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new ReelmillError("OUTPUT_UNWRITABLE", `${path} cannot be written: ${reason}.`, { cause });
}
