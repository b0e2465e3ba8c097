import { type ChildProcess, execFile, spawn } from "node:child_process";
import { chown, mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { createConnection, createServer } from "node:net";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import type { Durability } from "./contestant.ts";

const run = promisify(execFile);

/** A server that a contestant needs. */
export interface RunningServer {
  /** Redis: the port; PostgreSQL: a connection string. */
  readonly address: string;
  stop(): Promise<void>;
}

/** Starts Redis on loopback, its data in a temporary folder. Throws where it is not installed. */
export async function startRedis(durability: Durability): Promise<RunningServer> {
  const folder = await mkdtemp(join(tmpdir(), "reelmill-redis-"));
  const port = await freePort();
  const fsync = durability === "power" ? "always" : "everysec";
  const options = ["--port", `${port}`, "--bind", "127.0.0.1", "--dir", folder, "--save", "", "--appendonly", "yes"];
  const child = spawn("redis-server", [...options, "--appendfsync", fsync], { stdio: "ignore" });
  return await started(child, port, `${port}`, folder);
}

/** Starts PostgreSQL on loopback with a cluster of its own, never as root. Throws where it is not installed. */
export async function startPostgres(durability: Durability): Promise<RunningServer> {
  const folder = await mkdtemp(join(tmpdir(), "reelmill-postgres-"));
  const owner = await postgresUser();
  await chown(folder, owner.uid, owner.gid);
  const data = join(folder, "data");
  await mkdir(data, { mode: 0o700 });
  await chown(data, owner.uid, owner.gid);
  const binaries = await postgresFolder();
  await run(join(binaries, "initdb"), ["-D", data, "-U", "bench", "-A", "trust", "-N"], { ...owner, cwd: folder });
  const port = await freePort();
  const commit = durability === "power" ? "on" : "off";
  const settings = [`synchronous_commit=${commit}`, `unix_socket_directories=${folder}`, "max_connections=60"];
  const child = spawn(
    join(binaries, "postgres"),
    ["-D", data, "-h", "127.0.0.1", "-p", `${port}`, ...settings.flatMap((setting) => ["-c", setting])],
    { ...owner, cwd: folder, stdio: "ignore" },
  );
  return await started(child, port, `postgres://bench@127.0.0.1:${port}/postgres`, folder);
}

async function started(child: ChildProcess, port: number, address: string, folder: string): Promise<RunningServer> {
  const failed = new Promise<never>((_, reject) => {
    child.once("error", reject);
    child.once("exit", (code) => reject(new Error(`${child.spawnfile} ended with status ${code}`)));
  });
  // Not waited for once the server is up.
  failed.catch(() => undefined);
  await Promise.race([answers(port), failed]);
  return {
    address,
    stop: async () => {
      const ended = new Promise((resolve) => child.once("exit", resolve));
      child.kill("SIGINT");
      await ended;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function answers(port: number): Promise<void> {
  for (let left = 100; left > 0; left--) {
    const isUp = await new Promise<boolean>((resolve) => {
      const socket = createConnection(port, "127.0.0.1");
      socket.once("connect", () => {
        socket.destroy();
        resolve(true);
      });
      socket.once("error", () => resolve(false));
    });
    if (isUp) return await delay(500);
    await delay(100);
  }
  throw new Error(`Nothing answers on port ${port}.`);
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("There is no free port.");
  return address.port;
}

async function postgresUser(): Promise<{ readonly uid: number; readonly gid: number }> {
  const { uid, gid } = userInfo();
  if (uid !== 0) return { uid, gid };
  const { stdout } = await run("getent", ["passwd", "postgres"]);
  const [, , id, group] = stdout.split(":");
  return { uid: Number(id), gid: Number(group) };
}

/** Debian keeps its programs off the PATH, by version. */
async function postgresFolder(): Promise<string> {
  const root = "/usr/lib/postgresql";
  const [newest] = (await readdir(root)).sort((a, b) => Number(b) - Number(a));
  return join(root, newest ?? "", "bin");
}
