import { createHash, randomBytes } from "node:crypto";
import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";
import { identifyThisProcess, isRunning } from "./process-identity.ts";

/** What belongs to a process of which nobody here can tell whether it runs is kept so long behind its last change. */
export const UNKNOWN_OWNER_KEPT_MS = 24 * 60 * 60 * 1000;

const TOKEN = /^([0-9a-f]{16}),([1-9]\d*),(\d*),[0-9a-f]{16}$/;

/** A part of a name, another one each time, that tells which process makes what has the name. */
export function createOwnerToken(): string {
  const { pid, startTicks } = identifyThisProcess();
  return [machineOf(), pid, startTicks, randomBytes(8).toString("hex")].join(",");
}

/** Whether the process of a token runs. Nobody can tell of another machine's, of before this one was started, or of what is no token: unknown. */
export function ownerOf(token: string): "running" | "gone" | "unknown" {
  const [, machine, digits, startTicks] = TOKEN.exec(token) ?? [];
  if (machine !== machineOf() || startTicks === undefined) return "unknown";
  const [pid, own] = [Number(digits), identifyThisProcess()];
  const isAlive = pid === own.pid ? startTicks === own.startTicks : isRunning({ pid, host: own.host, startTicks });
  return isAlive ? "running" : "gone";
}

/** Names the space that process numbers belong to: containers on one machine have each their own, and so have machines of one name, as copies of one disk are. */
function machineOf(): string {
  const parts = [
    hostname(),
    lookUp(() => readlinkSync("/proc/self/ns/pid")),
    lookUp(() => readFileSync("/proc/sys/kernel/random/boot_id", "utf8")),
  ];
  return createHash("sha256").update(parts.join("\0")).digest("hex").slice(0, 16);
}

/** Only Linux has them. */
function lookUp(read: () => string): string {
  try {
    return read();
  } catch {
    return "";
  }
}
