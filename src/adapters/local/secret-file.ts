import { randomBytes } from "node:crypto";
import { linkSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { ReelmillError } from "../../base/errors.ts";
import { systemCodeOf } from "../../base/system-code.ts";

/**
 * The secret in a file that only its owner may read; the first to ask makes it with `create`. Throws STORE_UNAVAILABLE where the file
 * can neither be read nor made.
 */
export function keepSecret(path: string, create: () => string): string {
  try {
    return readSecret(path) ?? makeSecret(path, create());
  } catch (error) {
    const code = systemCodeOf(error);
    if (code === undefined) throw error;
    throw new ReelmillError("STORE_UNAVAILABLE", `The secret in ${path} cannot be read or made (${code}).`, {
      cause: error,
    });
  }
}

function readSecret(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8").trim();
  } catch (error) {
    if (systemCodeOf(error) === "ENOENT") return undefined;
    throw error;
  }
}

/** Whole at once: another process may be making one too, and then its secret is the one that counts. */
function makeSecret(path: string, secret: string): string {
  const temporary = `${path}.${randomBytes(6).toString("hex")}.tmp`;
  writeFileSync(temporary, `${secret}\n`, { mode: 0o600, flag: "wx" });
  try {
    linkSync(temporary, path);
    return secret;
  } catch (error) {
    if (systemCodeOf(error) !== "EEXIST") throw error;
    return readFileSync(path, "utf8").trim();
  } finally {
    rmSync(temporary, { force: true });
  }
}
