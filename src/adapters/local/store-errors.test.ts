import { describe, expect, it } from "vitest";
import { translateStoreError } from "./store-errors.ts";

const systemError = (code: string): Error => Object.assign(new Error(code), { code });

describe("translateStoreError", () => {
  it.each([
    ["ENOENT", "OBJECT_NOT_FOUND", false],
    ["ENOSPC", "NO_SPACE", true],
    ["EDQUOT", "NO_SPACE", true],
    ["EIO", "STORE_UNAVAILABLE", true],
    ["ESTALE", "STORE_UNAVAILABLE", true],
    ["ENOTCONN", "STORE_UNAVAILABLE", true],
    ["EHOSTDOWN", "STORE_UNAVAILABLE", true],
    ["ETIMEDOUT", "STORE_UNAVAILABLE", true],
    ["ELOOP", "OBJECT_KEY_INVALID", false],
    ["EISDIR", "OBJECT_KEY_CONFLICT", false],
    ["EACCES", "OUTPUT_UNWRITABLE", false],
    ["EROFS", "OUTPUT_UNWRITABLE", false],
  ])("%s while writing is %s", (system, code, retryable) => {
    const cause = systemError(system);
    expect(translateStoreError("a/b", "writing", cause)).toMatchObject({ code, retryable, cause });
  });

  it("tells reading from writing, and shows hostile names escaped", () => {
    expect(translateStoreError("a\u001b[2J", "reading", systemError("EACCES"))).toMatchObject({
      code: "INPUT_UNREADABLE",
      message: 'Reading "a\\u001b[2J" failed: EACCES.',
    });
  });

  it("leaves alone what is not the system's", () => {
    for (const error of [new Error("x"), "text", undefined, systemError("ERR_INVALID_ARG_TYPE")]) {
      expect(translateStoreError("a", "writing", error)).toBe(error);
    }
  });
});
