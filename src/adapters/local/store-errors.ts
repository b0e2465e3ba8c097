import { type ErrorCode, ReelmillError } from "../../base/errors.ts";
import { printableLine } from "../../base/printable.ts";
import { systemCodeOf } from "../../base/system-code.ts";

const CODES: Readonly<Record<string, readonly [code: ErrorCode, what: string]>> = {
  ENOENT: ["OBJECT_NOT_FOUND", "there is no such object"],
  ENOTDIR: ["OBJECT_NOT_FOUND", "there is no such object, a part of its key names no folder"],
  ELOOP: ["OBJECT_KEY_INVALID", "it is a symbolic link, and links are not followed"],
  EISDIR: ["OBJECT_KEY_CONFLICT", "a folder has that name"],
  ENOTEMPTY: ["OBJECT_KEY_CONFLICT", "a folder has that name"],
  ENAMETOOLONG: ["OBJECT_KEY_INVALID", "its path is longer than the file system allows"],
  EINVAL: ["OBJECT_KEY_INVALID", "the file system does not take the name"],
  EILSEQ: ["OBJECT_KEY_INVALID", "the file system does not take the name"],
  ENOSPC: ["NO_SPACE", "the disk is full"],
  EDQUOT: ["NO_SPACE", "the disk quota is used up"],
  EXDEV: ["OUTPUT_UNWRITABLE", "its folder is on another file system than the rest of the store"],
  EIO: ["STORE_UNAVAILABLE", "the disk or share reports a fault"],
  ENXIO: ["STORE_UNAVAILABLE", "the disk is gone"],
  ENODEV: ["STORE_UNAVAILABLE", "the disk is gone"],
  ESTALE: ["STORE_UNAVAILABLE", "the share was taken away"],
  ENOTCONN: ["STORE_UNAVAILABLE", "the share is not connected"],
  ECONNABORTED: ["STORE_UNAVAILABLE", "the share does not answer"],
  ECONNREFUSED: ["STORE_UNAVAILABLE", "the share does not answer"],
  ECONNRESET: ["STORE_UNAVAILABLE", "the share does not answer"],
  EHOSTDOWN: ["STORE_UNAVAILABLE", "the share's machine does not answer"],
  EHOSTUNREACH: ["STORE_UNAVAILABLE", "the share's machine does not answer"],
  ENETDOWN: ["STORE_UNAVAILABLE", "the network is down"],
  ENETUNREACH: ["STORE_UNAVAILABLE", "the network is down"],
  ETIMEDOUT: ["STORE_UNAVAILABLE", "the share does not answer in time"],
  EAGAIN: ["STORE_UNAVAILABLE", "it is in use"],
  EBUSY: ["STORE_UNAVAILABLE", "it is in use"],
  ETXTBSY: ["STORE_UNAVAILABLE", "it is in use"],
  EMFILE: ["STORE_UNAVAILABLE", "too many files are open"],
  ENFILE: ["STORE_UNAVAILABLE", "too many files are open"],
  ENOMEM: ["STORE_UNAVAILABLE", "the machine is out of memory"],
};

const OTHERS = { reading: "INPUT_UNREADABLE", writing: "OUTPUT_UNWRITABLE" } as const;

/** What the store was about when the system refused; tells permissions to read from permissions to write. */
export type Doing = keyof typeof OTHERS;

/** The store's error for one of the system's; what the system did not raise is given back unchanged. */
export function translateStoreError(subject: string, doing: Doing, error: unknown): unknown {
  const system = systemCodeOf(error);
  if (system === undefined) return error;
  const [code, what] = CODES[system] ?? ([OTHERS[doing], system] as const);
  const shown = printableLine(subject.length > 200 ? `…${subject.slice(-200)}` : subject);
  return new ReelmillError(code, `${doing === "reading" ? "Reading" : "Writing"} "${shown}" failed: ${what}.`, {
    cause: error,
  });
}

/** Does the work and throws the store's errors for the system's. */
export async function translating<T>(subject: string, doing: Doing, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw translateStoreError(subject, doing, error);
  }
}

/** The store, or one folder of it, is not where it was: that is not the same as empty. */
export function unavailable(folder: string, why: string, cause?: unknown): ReelmillError {
  return new ReelmillError("STORE_UNAVAILABLE", `The folder ${printableLine(folder)} is not available: ${why}.`, {
    cause,
  });
}
