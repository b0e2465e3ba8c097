/**
 * Gets what Reelmill needs and is not there yet: the packages of the lock file, the right Node, ffmpeg. Silent and quick when
 * all is there. Plain JavaScript without dependencies, because it runs on whatever Node the machine has (20 or newer).
 *
 * With `--launcher` a missing ffmpeg is a notice, not a failure: `reelmill doctor` must run on a machine without it. With `--web`
 * the dashboard is built where its sources are newer than what was built of them.
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

const NEEDED_NODE_MAJOR = 24;
const LOCK_WAIT_MS = 10 * 60_000;

const root = fileURLToPath(new URL("..", import.meta.url));
const modules = join(root, "node_modules");
/** What the launcher looks at: `node`, a link to the right Node, and `stamp`, the hash of the lock file installed from. */
const stateFolder = join(modules, ".reelmill");
const stampFile = join(stateFolder, "stamp");
const nodeLink = join(stateFolder, "node");

/** Stops with instructions that can be pasted as they are. */
function stop(problem, remedy) {
  process.stderr.write(`reelmill: ${problem}\n${remedy.map((line) => `    ${line}\n`).join("")}`);
  process.exit(1);
}

function say(text) {
  process.stderr.write(`reelmill: ${text}\n`);
}

function lockHash() {
  return createHash("sha256")
    .update(readFileSync(join(root, "package-lock.json")))
    .digest("hex");
}

function readStamp() {
  try {
    return readFileSync(stampFile, "utf8");
  } catch {
    return "";
  }
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

function findOnPath(name) {
  const folders = (process.env.PATH ?? "").split(delimiter).filter((folder) => folder !== "");
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

/** Whether `npm ci` or `npm install` was already run by hand for this very lock file. */
function packagesFitLock() {
  try {
    const wanted = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")).packages;
    const present = JSON.parse(readFileSync(join(modules, ".package-lock.json"), "utf8")).packages;
    return Object.entries(wanted).every(
      ([path, entry]) => path === "" || entry.optional || present[path]?.version === entry.version,
    );
  } catch {
    return false;
  }
}

/** Runs a command quietly; its output is shown only when it fails. */
function runQuietly(command, args, extraEnvironment = {}) {
  const result = spawnSync(command, args, {
    cwd: root,
    env: { ...process.env, ...extraEnvironment },
    stdio: ["ignore", "pipe", "pipe"],
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
  });
  if (result.status === 0) return true;
  process.stderr.write(
    `${result.stdout ?? ""}${result.stderr ?? ""}${result.error ? `${result.error.message}\n` : ""}`,
  );
  return false;
}

function installPackages(hash) {
  if (!packagesFitLock()) {
    say("installing packages (npm ci) …");
    const args = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
    if (!runQuietly("npm", args))
      stop("the packages could not be installed. When the network is back, run:", ["npm ci"]);
  }
  mkdirSync(stateFolder, { recursive: true });
  writeFileSync(stampFile, hash);
}

function nodeMajor(path) {
  const result = spawnSync(path, ["--version"], { encoding: "utf8" });
  return result.status === 0 ? Number.parseInt(result.stdout.slice(1), 10) : 0;
}

/** The packaged Node where it runs on this machine, else the machine's own where it is new enough. */
function linkNode() {
  const packaged = join(modules, ".bin", "node");
  const packagedRuns = existsSync(packaged) && nodeMajor(packaged) >= NEEDED_NODE_MAJOR;
  // A packaged Node built for another C library would shadow a good one on npm's path.
  if (!packagedRuns) rmSync(packaged, { force: true });
  const own = Number.parseInt(process.versions.node, 10) >= NEEDED_NODE_MAJOR ? process.execPath : undefined;
  const chosen = packagedRuns ? packaged : own;
  if (chosen === undefined) {
    const remedy =
      process.platform === "darwin"
        ? ["brew install node@24", 'export PATH="$(brew --prefix node@24)/bin:$PATH"']
        : ["https://nodejs.org/en/download (version 24), then run the same command again"];
    stop(`Node ${NEEDED_NODE_MAJOR} is needed and this is ${process.version}. Install it:`, remedy);
  }
  rmSync(nodeLink, { force: true });
  symlinkSync(chosen, nodeLink);
}

function hasFfmpeg() {
  const { REELMILL_FFMPEG: ffmpeg, REELMILL_FFPROBE: ffprobe } = process.env;
  return (ffmpeg || findOnPath("ffmpeg")) && (ffprobe || findOnPath("ffprobe"));
}

/** How this machine installs ffmpeg: the commands, and whether they may be run without asking. */
function ffmpegInstallation() {
  if (process.platform === "darwin") return { commands: [["brew", "install", "ffmpeg"]], allowed: findOnPath("brew") };
  if (findOnPath("apt-get")) {
    const wait = ["-o", "DPkg::Lock::Timeout=300"];
    const commands = [
      ["apt-get", ...wait, "update"],
      ["apt-get", ...wait, "install", "-y", "--no-install-recommends", "ffmpeg"],
    ];
    return { commands, allowed: process.getuid?.() === 0 };
  }
  const others = [
    ["dnf", "sudo dnf install ffmpeg"],
    ["apk", "sudo apk add ffmpeg"],
    ["pacman", "sudo pacman -S ffmpeg"],
    ["zypper", "sudo zypper install ffmpeg"],
  ];
  const known = others.find(([manager]) => findOnPath(manager));
  return { commands: [], allowed: false, advice: known?.[1] ?? "https://ffmpeg.org/download.html" };
}

function installFfmpeg(optional) {
  const { commands, allowed, advice } = ffmpegInstallation();
  const sudo = process.platform === "darwin" ? "" : "sudo ";
  const byHand =
    advice ?? commands.map((words) => sudo + words.filter((word) => !/^(-o|DPkg.*)$/.test(word)).join(" "));
  const remedy = [byHand].flat();
  if (allowed) {
    say(`installing ffmpeg (${commands.at(-1)[0]}) …`);
    const done = commands.every(([name, ...args]) => runQuietly(name, args, { DEBIAN_FRONTEND: "noninteractive" }));
    if (done && hasFfmpeg()) return;
  }
  if (!optional) stop("ffmpeg and ffprobe are needed. Install them:", remedy);
  say("ffmpeg and ffprobe are not installed; results cannot be checked by decoding them. To install:");
  process.stderr.write(remedy.map((line) => `    ${line}\n`).join(""));
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}

/** Two commands started at once on a fresh clone must not both rewrite node_modules. */
function withLock(work) {
  const folder = join(root, ".cache");
  const path = join(folder, "bootstrap.lock");
  mkdirSync(folder, { recursive: true });
  const deadline = Date.now() + LOCK_WAIT_MS;
  for (;;) {
    try {
      const handle = openSync(path, "wx");
      writeFileSync(handle, String(process.pid));
      closeSync(handle);
      break;
    } catch (error) {
      if (error.code !== "EEXIST") throw error;
      const owner = Number.parseInt(readFileSync(path, { encoding: "utf8", flag: "a+" }), 10);
      const abandoned = Number.isNaN(owner) ? Date.now() - statSync(path).mtimeMs > 5_000 : !isAlive(owner);
      if (abandoned) rmSync(path, { force: true });
      else if (Date.now() > deadline) stop("another bootstrap does not end. When none is running:", [`rm ${path}`]);
      else Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200);
    }
  }
  process.on("exit", () => rmSync(path, { force: true }));
  work();
}

/** The latest change of a file, or of anything in a folder, in milliseconds; what was built or installed does not count. */
function latestChangeMs(path) {
  const stats = statSync(path);
  if (!stats.isDirectory()) return stats.mtimeMs;
  const names = readdirSync(path).filter((name) => name !== "dist" && name !== "node_modules");
  return Math.max(0, ...names.map((name) => latestChangeMs(join(path, name))));
}

function webIsBuilt() {
  const built = join(root, "web", "dist", "index.html");
  // It reads playlists and subtitles as the server does.
  const sources = ["web", "src/media", "src/base"].map((path) => latestChangeMs(join(root, path)));
  return existsSync(built) && statSync(built).mtimeMs > Math.max(...sources);
}

function buildWeb() {
  say("building the dashboard …");
  const vite = join(modules, "vite", "bin", "vite.js");
  if (!runQuietly(nodeLink, [vite, "build", join(root, "web"), "--logLevel", "warn"]))
    stop("the dashboard could not be built. Its faults are shown above; to try again:", ["npm run build:web"]);
}

function main() {
  const hash = lockHash();
  const ready = () => readStamp() === hash && isExecutable(nodeLink);
  const optionalFfmpeg = process.argv.includes("--launcher");
  const wantsWeb = process.argv.includes("--web");
  if (ready() && hasFfmpeg() && (!wantsWeb || webIsBuilt())) {
    // The launcher compares ages alone; a checkout may have touched the lock file without changing it.
    if (statSync(stampFile).mtimeMs <= statSync(join(root, "package-lock.json")).mtimeMs)
      writeFileSync(stampFile, hash);
    return;
  }
  withLock(() => {
    if (!ready()) {
      installPackages(hash);
      linkNode();
    }
    if (!hasFfmpeg()) installFfmpeg(optionalFfmpeg);
    if (wantsWeb && !webIsBuilt()) buildWeb();
  });
}

main();
