import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Browser, chromium } from "playwright-core";
import { hasEndpoints } from "./endpoints.ts";
import { noteRefused } from "./guard-process.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** Debian's Chromium; what drives it (playwright-core) brings no browser of its own. */
const CHROMIUM_PATH = "/usr/bin/chromium";

const CHROMIUM_ARGUMENTS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** Why no browser can be driven here; undefined where one can. */
export function missingBrowser(): string | undefined {
  return existsSync(CHROMIUM_PATH) ? undefined : `${CHROMIUM_PATH} is not installed (apt-get install chromium)`;
}

/** Port 9 takes nothing: what is not of this machine goes there, Chromium's own calls of its maker among them. */
const NOWHERE = "--proxy-server=http://127.0.0.1:9";

/** Starts Chromium without a window. A page that asks another machine for anything is refused, and fails the test, unless stores of other machines are under test. */
export async function launchBrowser(): Promise<Browser> {
  if (hasEndpoints()) return await chromium.launch({ executablePath: CHROMIUM_PATH, args: CHROMIUM_ARGUMENTS });
  const browser = await chromium.launch({ executablePath: CHROMIUM_PATH, args: [...CHROMIUM_ARGUMENTS, NOWHERE] });
  const { newContext } = browser;
  browser.newContext = async (options) => {
    const context = await newContext.call(browser, options);
    context.on("request", (request) => {
      const { protocol, hostname } = new URL(request.url());
      const isHere = !/^(https?|wss?):$/.test(protocol) || /^(localhost|127\.0\.0\.1|\[::1\])$/.test(hostname);
      if (!isHere) noteRefused(`${hostname} (Chromium)`);
    });
    return context;
  };
  return browser;
}

/** Builds the dashboard that a server serves, where it is older than its sources. */
export function buildServedDashboard(): void {
  // As users have it, not as the test runner's environment would make it.
  const env = { ...process.env, NODE_ENV: "production" };
  execFileSync(process.execPath, [join(ROOT, "scripts/bootstrap.mjs"), "--web"], { env, stdio: "pipe" });
}

/** The built dashboard and a video to serve with it. */
export interface BuiltDashboard {
  readonly dist: string;
  readonly videoPath: string;
  readonly remove: () => void;
}

/** Builds the dashboard as it is now, away from web/dist, and makes a short H.264 video. */
export function buildDashboard(): BuiltDashboard {
  const folder = mkdtempSync(join(tmpdir(), "reelmill-dashboard-"));
  const dist = join(folder, "dist");
  const vite = join(ROOT, "node_modules", ".bin", "vite");
  execFileSync(vite, ["build", "--outDir", dist, "--logLevel", "error"], { cwd: join(ROOT, "web"), stdio: "pipe" });
  const videoPath = join(folder, "video.mp4");
  const picture = "smptehdbars=size=640x360:rate=25";
  const sound = "sine=frequency=220:sample_rate=48000";
  const inputs = ["-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", sound];
  const codecs = ["-c:v", "libx264", "-pix_fmt", "yuv420p", "-c:a", "aac", "-t", "2", "-movflags", "+faststart"];
  execFileSync("ffmpeg", ["-v", "error", "-y", ...inputs, ...codecs, videoPath], { stdio: "pipe" });
  return { dist, videoPath, remove: () => rmSync(folder, { recursive: true, force: true }) };
}
