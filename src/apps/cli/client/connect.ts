import { readFileSync } from "node:fs";
import { defaultConfigFor } from "../../../base/config-defaults.ts";
import { ReelmillError } from "../../../base/errors.ts";
import type { CliContext } from "../cli-context.ts";
import { type ApiClient, createApiClient } from "./api-client.ts";
import { type Place, readPlace, serverHere } from "./place.ts";

/** A key is short; a larger file is something else. */
const MAX_KEY_FILE_BYTES = 4096;

/** Which server to speak with, as the command line gives it. */
export interface ServerOptions {
  /** Overrides REELMILL_SERVER. */
  readonly server?: string;
  /** File that holds the API key; overrides REELMILL_API_KEY. */
  readonly apiKeyFile?: string;
}

/**
 * A client for the server that options name, or the environment, or what `reelmill use` noted, or for the one on this machine; connects to
 * nothing yet. Throws USAGE, CONFIG_INVALID, and INPUT_UNREADABLE for the key's file.
 */
export async function connect(
  options: ServerOptions,
  context: Pick<CliContext, "environment" | "signal">,
): Promise<ApiClient> {
  const { environment, signal } = context;
  const { client, server: here } =
    defaultConfigFor(environment) ?? (await import("../../../base/config.ts")).loadConfig(environment);
  const named = options.server ?? client.server;
  const place = named === undefined ? readPlace(environment) : undefined;
  const server = named ?? place?.server ?? serverHere(here);
  const apiKey = options.apiKeyFile === undefined ? client.apiKey : readKey(options.apiKeyFile);
  return createApiClient({ server: requireAddress(server), apiKey: apiKey ?? keyOf(place), signal });
}

/** The key that was named for the place; no other server is shown it. */
function keyOf(place: Place | undefined): string | undefined {
  return place?.apiKeyFile === undefined ? undefined : readKey(place.apiKeyFile);
}

function requireAddress(text: string): string {
  const url = URL.parse(text);
  const isHttp = url?.protocol === "http:" || url?.protocol === "https:";
  if (url === null || !isHttp || /[?#@]/.test(text)) {
    // A password in it must not be shown, so the address is not.
    const message = "--server must be an http or https address without user, query and fragment.";
    throw new ReelmillError("USAGE", message);
  }
  return url.href.replace(/\/+$/, "");
}

/** The key in the file. Throws INPUT_UNREADABLE, USAGE. */
export function readKey(path: string): string {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ReelmillError("INPUT_UNREADABLE", `The key's file ${path} cannot be read: ${reason}`, { cause: error });
  }
  const key = text.trim();
  if (text.length > MAX_KEY_FILE_BYTES || !/^[\x21-\x7e]{1,512}$/.test(key)) {
    const message = `${path} does not hold an API key: 1 to 512 printable ASCII characters without blanks.`;
    throw new ReelmillError("USAGE", message);
  }
  return key;
}
