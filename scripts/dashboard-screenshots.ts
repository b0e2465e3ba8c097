// Writes the pictures of the dashboard in docs/images/, of a server at work: node scripts/dashboard-screenshots.ts [folder]
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { type Visit, visitDashboard } from "../test/e2e/dashboard.fixture.ts";
import { type HeldUntrunc, installHeldUntrunc } from "../test/e2e/held-untrunc.fixture.ts";
import { findFreePort, startServer } from "../test/e2e/server.fixture.ts";
import { buildServedDashboard, launchBrowser } from "../test/support/dashboard.ts";

const WIDTH = 1200;
const PHONE = { width: 390, height: 844 };

/** Recordings of one camera, in a folder made for them. */
interface Card {
  readonly healthy: string;
  /** Cut short, with a hole of zeros and one of noise. */
  readonly damaged: string;
  /** By another camera. */
  readonly foreign: string;
  readonly text: string;
  copy(path: string, name: string): string;
}

function record(path: string, picture: string, seconds: number, codecs: string): void {
  const inputs = ["-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", "sine=frequency=220:sample_rate=48000"];
  execFileSync("ffmpeg", ["-v", "error", "-y", ...inputs, ...codecs.split(" "), "-t", String(seconds), path]);
}

function makeCard(folder: string): Card {
  mkdirSync(folder, { recursive: true });
  const at = (name: string): string => join(folder, name);
  const h264 = "-c:v libx264 -preset veryfast -g 25 -b:v 6M -pix_fmt yuv420p -c:a aac -b:a 128k";
  const scene = "mandelbrot=size=1280x720:rate=25:start_scale=0.6:end_pts=900";
  record(at("healthy.mp4"), scene, 4, h264);
  record(at("whole.mp4"), scene, 24, h264);
  record(at("foreign.mp4"), "smptehdbars=size=640x360:rate=25", 2, "-c:v mpeg4 -c:a aac");
  const whole = readFileSync(at("whole.mp4"));
  const damaged = whole.subarray(0, Math.floor(whole.length * 0.83));
  const hole = (from: number, to: number, byte: (index: number) => number): void => {
    for (let index = Math.floor(damaged.length * from); index < damaged.length * to; index++)
      damaged[index] = byte(index);
  };
  hole(0.31, 0.352, (index) => (index * 7919) & 0xff);
  hole(0.58, 0.605, () => 0);
  writeFileSync(at("damaged.mp4"), damaged);
  writeFileSync(at("text.mp4"), "This is no recording.\n".repeat(1000));
  const copy = (path: string, name: string): string => {
    copyFileSync(path, at(name));
    return at(name);
  };
  return {
    healthy: at("healthy.mp4"),
    damaged: at("damaged.mp4"),
    foreign: at("foreign.mp4"),
    text: at("text.mp4"),
    copy,
  };
}

/** Waits until the server answers what is wanted. */
async function until(url: string, isWanted: (answer: string) => boolean): Promise<void> {
  for (let count = 0; count < 600; count++) {
    if (isWanted(await (await fetch(url)).text())) return;
    await sleep(100);
  }
  throw new Error(`${url} did not come to answer as wanted.`);
}

/** Ends jobs in every way that there is, and leaves some at work; gives the path of the one that was repaired. */
async function work(
  { page, heading, submit, press }: Visit,
  url: string,
  card: Card,
  untrunc: HeldUntrunc,
): Promise<string> {
  const { healthy, damaged, foreign, text, copy } = card;
  untrunc.hold(true);
  await submit([copy(damaged, "A001_C004.mp4"), copy(damaged, "A001_C005.mp4")], healthy, "untrunc");
  await until(`${url}/v1/dead-letters`, (answer) => {
    untrunc.killWaiting();
    return answer.split('"receiveCount"').length > 2;
  });
  await submit([copy(text, "GX010233.MP4")], healthy);
  await heading("Failed").waitFor();
  await submit([copy(damaged, "DJI_0091.MP4")], copy(foreign, "DJI_0090.MP4"), "native");
  await heading("Failed").waitFor();
  const repaired = await submit(
    [copy(damaged, "interview-take-3.mp4")],
    copy(healthy, "interview-take-1.mp4"),
    "native",
  );
  await heading("Succeeded").waitFor();
  await submit([copy(damaged, "rehearsal.mp4"), copy(healthy, "opening.mp4")], healthy, "native");
  await heading("Succeeded").waitFor();
  await submit([copy(damaged, "C0044.MP4")], healthy, "untrunc");
  await press("Cancel", "Cancel the job");
  await heading("Cancelled").waitFor();
  await submit(
    ["C0042.MP4", "C0043.MP4", "C0045.MP4"].map((name) => copy(damaged, name)),
    healthy,
    "untrunc",
  );
  await page.getByText("untrunc is at work").nth(1).waitFor();
  untrunc.release(untrunc.waiting()[0] ?? 0);
  await page.getByText("1 of 3 tasks done").waitFor();
  await page.getByText("untrunc is at work").nth(1).waitFor();
  await submit([copy(damaged, "C0046.MP4")], healthy, "untrunc");
  return `/jobs/${repaired}`;
}

/** Puts files into the watch folder until each has gone its way, and one that still waits. */
async function fillWatchFolder(url: string, ready: string, card: Card): Promise<void> {
  const put = (path: string, name: string): void => copyFileSync(path, join(ready, name));
  put(card.healthy, "C0040.MP4");
  put(card.damaged, "C0041.MP4");
  put(card.text, "MVI_2290.MOV");
  await until(`${url}/v1/watch`, (answer) => /"state":"exported"/.test(answer) && /"state":"quarantined"/.test(answer));
  put(card.damaged, "C0047.MP4");
  await until(`${url}/v1/watch`, (answer) => answer.includes("C0047.MP4"));
}

/** A few colours are enough, and make small files. */
function reduce(path: string): void {
  const reduced = path.replace(/\.png$/, ".small.png");
  const filter = "split[a][b];[a]palettegen=max_colors=200[p];[b][p]paletteuse=dither=none";
  execFileSync("ffmpeg", ["-v", "error", "-y", "-i", path, "-vf", filter, reduced]);
  renameSync(reduced, path);
}

/** Takes a picture of one page; `prepare` brings the page into the state to be shown. */
async function shoot(
  browser: Browser,
  address: string,
  path: string,
  options: BrowserContextOptions,
  prepare: (page: Page) => Promise<unknown> = async () => undefined,
): Promise<void> {
  const { page, open, close, complaints } = await visitDashboard(browser, new URL(address).origin, {
    timezoneId: "UTC",
    ...options,
  });
  await open(address);
  await prepare(page);
  // What is loaded after the page, such as the first picture of a video.
  await page.waitForTimeout(1500);
  await page.screenshot({ path, animations: "disabled" });
  await close();
  if (complaints.length > 0) throw new Error(`${basename(path)}: ${complaints.join("; ")}`);
  reduce(path);
}

const images = process.argv[2] ?? join(import.meta.dirname, "..", "docs", "images");
const place = mkdtempSync(join(tmpdir(), "reelmill-"));
const untrunc = installHeldUntrunc(join(place, "untrunc"));
buildServedDashboard();
// Short, as it is shown.
const home = join(place, "studio");
const server = await startServer(home, await findFreePort(), {
  PATH: untrunc.searchPath,
  SCAN_INTERVAL_SECONDS: "1",
  MIN_FILE_AGE_SECONDS: "6",
});
const browser = await launchBrowser();
try {
  mkdirSync(images, { recursive: true });
  const card = makeCard(join(place, "card"));
  const visit = await visitDashboard(browser, server.url);
  const job = await work(visit, server.url, card, untrunc);
  await visit.close();
  const take = async (
    name: string,
    path: string,
    options: BrowserContextOptions,
    prepare?: (page: Page) => Promise<unknown>,
  ): Promise<void> => shoot(browser, server.url + path, join(images, `dashboard-${name}.png`), options, prepare);
  const wide = (height: number): BrowserContextOptions => ({ viewport: { width: WIDTH, height } });
  await take("jobs", "/", wide(860));
  await take("job", job, wide(900));
  await take("job-dark", job, { ...wide(900), colorScheme: "dark" });
  await take("uploads", "/", wide(800), async (page) => {
    const chosen = [card.copy(card.damaged, "A003_C011.mp4"), card.copy(card.healthy, "A003_C010.mp4")];
    await page.getByLabel("Choose files").setInputFiles(chosen);
    await page.getByText("Uploaded").nth(1).waitFor();
    await page.getByLabel("What A003_C010.mp4 is").selectOption({ label: "Healthy reference" });
  });
  await take("queues", "/queues", wide(620));
  await take("system", "/system", wide(820));
  await take("phone", "/", { viewport: PHONE });
  untrunc.hold(false);
  await fillWatchFolder(server.url, join(home, "watch", "ready"), card);
  await take("watch", "/watch", wide(760));
} finally {
  await browser.close();
  await server.stop();
  rmSync(place, { recursive: true, force: true });
}
