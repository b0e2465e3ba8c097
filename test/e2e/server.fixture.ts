import { type ChildProcess, spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { ROOT } from "../support/documentation.ts";

/** A `reelmill up` of its own process. */
export interface RunningServer {
  /** Such as `http://127.0.0.1:41234`, without a slash at the end. */
  readonly url: string;
  readonly process: ChildProcess;
  /** What it has written to standard error so far. */
  errors(): string;
  /** Numbers of the processes that it started and that still run. */
  workers(): readonly number[];
  /** Ends it as a user does; gives its exit status. */
  stop(): Promise<number | null>;
  /** Ends it in the middle of whatever it does. */
  kill(): Promise<void>;
}

/** A port of the loopback interface that was free a moment ago. */
export async function findFreePort(): Promise<number> {
  return await new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address();
      probe.close(() => (typeof address === "object" && address !== null ? resolve(address.port) : reject()));
    });
  });
}

/**
 * Starts a server on `folder`/data that watches the folder named, null for none, and waits until it listens. Throws with what it wrote
 * where it ends before.
 */
export async function startServer(
  folder: string,
  port: number,
  environment: Readonly<Record<string, string>> = {},
  watch: string | null = "watch",
): Promise<RunningServer> {
  const args = [join(ROOT, "src/apps/cli/main.ts"), "up", "--data", join(folder, "data"), "--port", String(port)];
  const watching = watch === null ? [] : ["--watch", join(folder, watch)];
  const child = spawn(process.execPath, [...args, ...watching], {
    env: { ...process.env, LOG_FORMAT: "json", ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  let errors = "";
  child.stderr.on("data", (piece: Buffer) => {
    errors += piece.toString();
  });
  const ended = new Promise<number | null>((resolve) => {
    child.once("close", resolve);
  });
  await new Promise<void>((resolve, reject) => {
    child.stdout.on("data", (piece: Buffer) => {
      output += piece.toString();
      if (output.includes(`:${port}`)) resolve();
    });
    child.once("close", (code) => reject(new Error(`The server ended with ${code}:\n${output}${errors}`)));
  });
  return {
    url: `http://127.0.0.1:${port}`,
    process: child,
    errors: () => errors,
    workers: () => childrenOf(child.pid ?? 0),
    stop: async () => {
      child.kill("SIGTERM");
      return await ended;
    },
    kill: async () => {
      child.kill("SIGKILL");
      await ended;
    },
  };
}

/** Node processes whose parent is `pid`; field 4 of /proc/PID/stat, counted behind the program's name. */
function childrenOf(pid: number): readonly number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((candidate) => {
      try {
        const stat = readFileSync(`/proc/${candidate}/stat`, "latin1");
        return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]) === pid;
      } catch {
        // It has ended meanwhile.
        return false;
      }
    });
}
