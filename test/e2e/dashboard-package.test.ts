import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { buildServedDashboard, launchBrowser, missingBrowser } from "../support/dashboard.ts";
import { type Visit, visitDashboard, WAIT } from "./dashboard.fixture.ts";
import { makeTalk } from "./players.fixture.ts";
import { findFreePort, type RunningServer, startServer } from "./server.fixture.ts";

const TALK = { seconds: 13, picturesPerSecond: 10, widthPixels: 320, heightPixels: 180 };
const LADDER = {
  rungs: [
    { height: 180, kbps: 120 },
    { height: 126, kbps: 60 },
  ],
};
/** Two of six seconds and what is left. */
const SEGMENTS = 3;

const missing = missingBrowser();
if (missing !== undefined) process.stderr.write(`Packages are not shown here: ${missing}.\n`);

describe.skipIf(missing !== undefined)("an HLS package in the dashboard", () => {
  let folder: string;
  let server: RunningServer;
  let browser: Browser;
  let visit: Visit;
  let page: Page;
  const scripts: string[] = [];

  beforeAll(async () => {
    buildServedDashboard();
    folder = mkdtempSync(join(tmpdir(), "reelmill-dashboard-package-"));
    const talk = makeTalk(folder, TALK);
    server = await startServer(folder, await findFreePort());
    browser = await launchBrowser();
    visit = await visitDashboard(browser, server.url);
    ({ page } = visit);
    page.on("response", (response) => {
      if (response.url().endsWith(".js")) scripts.push(response.url());
    });
    await visit.open("/");
    await page.getByLabel("Choose files").setInputFiles([talk]);
    await page.getByText("Uploaded").waitFor();
    await page.getByLabel("What to do").selectOption({ label: "HLS package" });
    await page.getByLabel("Media files").selectOption({ label: "One for each six seconds" });
    await page.getByText("More options").click();
    await page.getByLabel("Preset").fill("ultrafast");
    await page.getByLabel("Qualities of your own").fill(JSON.stringify(LADDER));
    expect(scripts.length).toBeGreaterThan(0);
    await page
      .getByText("What it would cost on AWS: No job of hls (h264+ladder of 2 ultrafast) has finished")
      .waitFor();
    await page.getByRole("button", { name: "Start HLS package" }).click();
    await page.waitForURL("**/jobs/*");
    // Nothing is loaded for players where there is nothing to play.
    expect(scripts.filter((url) => /hls-|package-/.test(url))).toEqual([]);
    await visit.heading("Succeeded").waitFor();
  });

  afterAll(async () => {
    await visit?.close();
    await browser?.close();
    expect(await server?.stop()).toBe(0);
    rmSync(folder, { recursive: true, force: true });
    expect(visit.complaints).toEqual([]);
  });

  const video = <T>(expression: string): Promise<T> =>
    page.evaluate(`((video) => ${expression})(document.querySelector("video"))`);

  /** Waits until it has played on for a second. */
  const playsOn = async (): Promise<void> => {
    const from = await video<number>("video.currentTime");
    await expect
      .poll(() => video<number>("video.currentTime"), WAIT)
      .toBeGreaterThan(Math.min(from + 1, TALK.seconds - 0.1));
  };

  it("is made as the form says, and shown as a ladder and over time", async () => {
    await page.getByText("Rules of HLS").waitFor();
    // Nothing but playlists is loaded before it is played.
    await page.getByLabel("Quality").waitFor();
    expect(await video("video.readyState")).toBe(0);
    const variants = page.getByRole("table", { name: "Variants" }).locator("tbody tr");
    expect(await variants.allTextContents()).toEqual([
      expect.stringMatching(/^180p-120320 × 18010\d+ kbit\/s\d+ kbit\/savc1\.\w{6}, mp4a\.40\.2$/),
      expect.stringMatching(/^126p-60224 × 12610/),
      expect.stringMatching(/Sound alone.*mp4a\.40\.2$/),
    ]);
    const plot = page.getByRole("img", { name: "Bit rates of the rungs over time" });
    const lines = plot.locator(".plot-rung");
    expect(await lines.allTextContents()).toEqual(["180p-120", "126p-60"]);
    for (const index of [0, 1]) {
      const path = await lines.nth(index).locator("path").getAttribute("d");
      expect(path?.split("H").length).toBe(SEGMENTS + 1);
    }
    expect(await plot.locator("desc").textContent()).toMatch(/^180p-120: from \d+ kbit\/s to \d+ kbit\/s\. 126p-60:/);
    await page.getByText("Bit rates as a table").click();
    const table = page.getByRole("table", { name: "Bit rates by segment" });
    await table.waitFor();
    expect(await table.locator("tbody tr").count()).toBe(SEGMENTS);
  });

  it("plays, with the quality, the sound and the subtitles that are chosen", async () => {
    // Played before what plays it is there: on slow connections people are faster.
    const held = Promise.withResolvers<void>();
    await page.route("**/assets/hls-*.js", async (route) => {
      await held.promise;
      await route.continue();
    });
    await page.reload();
    await page.locator("video").waitFor();
    expect(await video("video.poster")).toMatch(/\/poster\.jpg$/);
    await video("void (video.muted = true)");
    await page.getByRole("button", { name: "Play", exact: true }).click();
    held.resolve();
    await playsOn();
    for (const [label, height] of [
      [/^126p/, 126],
      [/^180p/, 180],
    ] as const) {
      const quality = page.getByLabel("Quality");
      const option = await quality.locator("option").filter({ hasText: label }).getAttribute("value");
      await quality.selectOption(option);
      await expect.poll(() => video("video.videoHeight"), WAIT).toBe(height);
      await page.getByText(new RegExp(`^Playing ${height}p`)).waitFor();
      await playsOn();
    }
    await page.getByLabel("Sound", { exact: true }).selectOption({ label: "Deutsch" });
    await page.getByLabel("Subtitles").selectOption({ label: "English" });
    const words = '[...video.textTracks].filter(({ mode }) => mode === "showing").flatMap((track) => [...track.cues])';
    await expect.poll(() => video(`${words}.map(({ text }) => text)`), WAIT).toEqual(["First words", "Second words"]);
    await page.getByLabel("Subtitles").selectOption({ label: "Off" });
    await expect.poll(() => video(`${words}.length`), WAIT).toBe(0);
    await expect.poll(() => video("video.ended"), WAIT).toBe(true);
  });

  it("shows the pictures of other places, and goes there", async () => {
    const bar = page.getByLabel("Place in the recording");
    const sheet = page.waitForResponse((response) => response.url().endsWith("/thumbnails/sheet-001.jpg"));
    const box = await bar.boundingBox();
    if (box === null) throw new Error("There is no seek bar.");
    const there = { x: box.x + box.width / 2, y: box.y + box.height / 2 };
    await page.mouse.move(there.x, there.y);
    expect((await sheet).status()).toBe(200);
    const preview = page.locator(".seek-preview");
    expect(await preview.textContent()).toBe("0:06");
    // The one that begins at six seconds is the fourth.
    const place = "getComputedStyle(document.querySelector('.seek-thumbnail')).backgroundPosition";
    expect(await page.evaluate(place)).toBe("-480px 0px");
    expect(await preview.locator(".seek-thumbnail").boundingBox()).toMatchObject({ width: 160, height: 90 });
    await page.mouse.click(there.x, there.y);
    await expect.poll(() => video<number>("video.currentTime"), WAIT).toBeCloseTo(6.5, 0);
    await page.mouse.move(0, 0);
    await preview.waitFor({ state: "detached" });
    await bar.focus();
    await page.keyboard.press("End");
    await expect.poll(() => bar.getAttribute("aria-valuetext"), WAIT).toBe("0:13 of 0:13");
  });

  it("fits a phone, and tells what everything is", async () => {
    await page.setViewportSize({ width: 390, height: 844 });
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(390);
    for (const role of ["button", "combobox", "slider", "img", "table"] as const) {
      expect(await page.getByRole(role, { name: /\S/ }).count(), role).toBe(await page.getByRole(role).count());
    }
  });
});
