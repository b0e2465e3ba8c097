import { join } from "node:path";
import type { Environment } from "../../base/config-defaults.ts";
import { defaultConfigFor } from "../../base/config-defaults.ts";
import { ReelmillError } from "../../base/errors.ts";
import { openFileSource } from "../../base/file-source.ts";
import { encryptionFault, type HlsSettings } from "./options.ts";

/** Bytes of an AES-128 key. */
const KEY_BYTES = 16;

/**
 * Reads a key file: 16 bytes and nothing else, as players fetch it. Throws PARAMS_INVALID where it has another length, INPUT_NOT_FOUND and the
 * like. No message tells what it holds.
 */
export function readContentKey(path: string): Uint8Array {
  const source = openFileSource(path);
  try {
    const key = new Uint8Array(KEY_BYTES);
    if (source.sizeBytes === KEY_BYTES && source.read(0, key) === KEY_BYTES) return key;
    throw new ReelmillError("PARAMS_INVALID", `${path} is no AES-128 key: it has ${source.sizeBytes} bytes, not 16.`);
  } finally {
    source.close();
  }
}

/**
 * The key that a job names: `<name>.key` in the folder of REELMILL_HLS_KEY_FOLDER, which no interface of the server hands out. Undefined where
 * the job names none. Throws PARAMS_INVALID, CONFIG_INVALID.
 */
export async function readNamedKey(
  name: string | undefined,
  environment: Environment,
): Promise<Uint8Array | undefined> {
  if (name === undefined) return undefined;
  const config = defaultConfigFor(environment) ?? (await import("../../base/config.ts")).loadConfig(environment);
  if (config.hlsKeyFolder === undefined) {
    const lack = "the server has no folder of keys; set REELMILL_HLS_KEY_FOLDER where it runs";
    throw new ReelmillError("PARAMS_INVALID", `encryptKey names a key, but ${lack}.`);
  }
  try {
    return readContentKey(join(config.hlsKeyFolder, `${name}.key`));
  } catch (cause) {
    // Where the server keeps its keys is nobody's business.
    const problem = `encryptKey is ${name}, but no file of 16 bytes has that name in the server's folder of keys.`;
    throw new ReelmillError("PARAMS_INVALID", problem, { cause });
  }
}

/** Refuses settings that do not go together with a key or without one. Throws PARAMS_INVALID. */
export function checkEncryption(settings: HlsSettings, hasKey: boolean): void {
  const fault = encryptionFault(settings, hasKey);
  if (fault !== undefined) throw new ReelmillError("PARAMS_INVALID", `${fault}.`);
}
