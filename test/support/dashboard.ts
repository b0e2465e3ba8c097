import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
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
