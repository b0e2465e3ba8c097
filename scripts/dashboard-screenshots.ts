// Writes the pictures of the dashboard in docs/images/, over canned data: node scripts/dashboard-screenshots.ts [folder]
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { BrowserContextOptions } from "playwright-core";
import { buildDashboard, launchBrowser } from "../test/support/dashboard.ts";
import { REPAIRED_ID } from "../web/test-support/mock-data.ts";
import { startMockServer } from "../web/test-support/mock-server.ts";

const folder = process.argv[2] ?? join(import.meta.dirname, "..", "docs", "images");
const wide = (height: number): BrowserContextOptions => ({ viewport: { width: 1200, height }, timezoneId: "UTC" });
const PHONE: BrowserContextOptions = { viewport: { width: 360, height: 760 }, timezoneId: "UTC" };

const SHOTS: readonly (readonly [
  name: string,
  path: string,
  scheme: "light" | "dark",
  options: BrowserContextOptions,
])[] = [
  ["dashboard-jobs", "/", "light", wide(800)],
  ["dashboard-job", `/jobs/${REPAIRED_ID}`, "light", wide(860)],
  ["dashboard-job-dark", `/jobs/${REPAIRED_ID}`, "dark", wide(860)],
  ["dashboard-queues", "/queues", "light", wide(650)],
  ["dashboard-watch", "/watch", "light", wide(740)],
  ["dashboard-phone", "/", "light", PHONE],
];

const built = buildDashboard();
const server = await startMockServer(built);
const browser = await launchBrowser();
try {
  mkdirSync(folder, { recursive: true });
  for (const [name, path, colorScheme, options] of SHOTS) {
    const context = await browser.newContext({ ...options, colorScheme });
    const page = await context.newPage();
    await page.goto(server.url + path);
    await page.locator("h1").waitFor();
    await page.waitForTimeout(1500);
    await page.screenshot({ path: join(folder, `${name}.png`), animations: "disabled" });
    await context.close();
  }
} finally {
  await browser.close();
  await server.close();
  built.remove();
}
