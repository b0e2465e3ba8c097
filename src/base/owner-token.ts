import { createHash, randomBytes } from "node:crypto";
import { readlinkSync } from "node:fs";
import { hostname } from "node:os";
import { identifyThisProcess, isRunning } from "./process-identity.ts";

const TOKEN = /^([0-9a-f]{16}),([1-9]\d*),(\d*),[0-9a-f]{16}$/;

/** A part of a name, another one each time, that tells which process makes what has the name. */
export function createOwnerToken(): string {
  const { pid, startTicks } = identifyThisProcess();
  return [machineOf(), pid, startTicks, randomBytes(8).toString("hex")].join(",");
}

/** Whether the process of a token runs. Nobody can tell of another machine's, or of what is no token: unknown. */
export function ownerOf(token: string): "running" | "gone" | "unknown" {
  const [, machine, digits, startTicks] = TOKEN.exec(token) ?? [];
  if (machine !== machineOf() || startTicks === undefined) return "unknown";
  const [pid, own] = [Number(digits), identifyThisProcess()];
  const isAlive = pid === own.pid ? startTicks === own.startTicks : isRunning({ pid, host: own.host, startTicks });
  return isAlive ? "running" : "gone";
}

/** Names the space that process numbers belong to: containers on one machine, or of one name, have each their own. */
function machineOf(): string {
  return createHash("sha256").update(`${hostname()}\0${processNamespace()}`).digest("hex").slice(0, 16);
}

function processNamespace(): string {
  try {
    return readlinkSync("/proc/self/ns/pid");
  } catch {
    // Only Linux has them.
    return "";
  }
}
