import { createHash } from "node:crypto";
import { copyFileSync, existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Locator, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { buildServedDashboard, launchBrowser, missingBrowser } from "../support/dashboard.ts";
import { type Visit, visitDashboard, WAIT } from "./dashboard.fixture.ts";
import { type HeldUntrunc, installHeldUntrunc } from "./held-untrunc.fixture.ts";
import { makeRecordings, type Recordings } from "./recordings.fixture.ts";
import { findFreePort, type RunningServer, startServer } from "./server.fixture.ts";
import { countPackets, hashOf } from "./workplace.fixture.ts";

const H264 = 'video/mp4; codecs="avc1.42E01E, mp4a.40.2"';
const PAGES = ["/", "/queues", "/watch", "/system", "/nowhere"] as const;

const missing = missingBrowser();
if (missing !== undefined) process.stderr.write(`The dashboard is not tested with a server here: ${missing}.\n`);

describe.skipIf(missing !== undefined)("the dashboard of a running server", () => {
  let folder: string;
  let files: Recordings;
  let untrunc: HeldUntrunc;
  let server: RunningServer;
  let browser: Browser;
  let visit: Visit;
  let page: Page;

  beforeAll(async () => {
    buildServedDashboard();
    folder = mkdtempSync(join(tmpdir(), "reelmill-dashboard-e2e-"));
    files = makeRecordings(join(folder, "made"));
    untrunc = installHeldUntrunc(join(folder, "untrunc"));
    server = await startServer(folder, await findFreePort(), {
      PATH: untrunc.searchPath,
      SCAN_INTERVAL_SECONDS: "1",
      MIN_FILE_AGE_SECONDS: "1",
    });
    browser = await launchBrowser();
  });

  afterAll(async () => {
    await browser?.close();
    expect(await server?.stop()).toBe(0);
    rmSync(folder, { recursive: true, force: true });
  });

  beforeEach(async () => {
    visit = await visitDashboard(browser, server.url);
    ({ page } = visit);
  });

  afterEach(async () => {
    untrunc.hold(false);
    await visit.close();
    expect(visit.complaints).toEqual([]);
  });

  const copyOf = (path: string, name: string): string => {
    copyFileSync(path, join(folder, name));
    return join(folder, name);
  };

  /** Answers every further question of a tab for `path` as it is answered now: what changes then, the server told by itself. */
  const keepAnswer = async (tab: Page, path: string): Promise<void> => {
    const json = await ask(path);
    await tab.route(
      ({ pathname }) => pathname === path,
      (route) => route.fulfill({ json }),
    );
  };

  const ask = async (path: string): Promise<unknown> => await (await fetch(server.url + path)).json();

  /** Whether there is H.264 in this Chromium; says so where not. */
  const canPlay = async (): Promise<boolean> => {
    const answer = await page.evaluate(`document.createElement("video").canPlayType(${JSON.stringify(H264)})`);
    if (answer === "") process.stderr.write("This Chromium has no H.264: that the result plays is not tested.\n");
    return answer !== "";
  };

  /** Plays the page's first video to its end. */
  const playThrough = async (): Promise<void> => {
    await expect.poll(() => page.evaluate('document.querySelector("video").readyState'), WAIT).toBeGreaterThan(0);
    await page.evaluate('const video = document.querySelector("video"); video.muted = true; video.play()');
    await expect.poll(() => page.evaluate('document.querySelector("video").currentTime'), WAIT).toBeGreaterThan(0.2);
    await expect.poll(() => page.evaluate('document.querySelector("video").ended'), WAIT).toBe(true);
  };

  describe("repairs", () => {
    it("an upload as the form says, shows what was found, plays the result and gives it", async () => {
      await visit.open("/");
      await page.getByLabel("Choose files").setInputFiles([files.damaged, files.reference]);
      await page.getByText("Uploaded").nth(1).waitFor();
      await page.getByLabel("What reference.mp4 is").selectOption({ label: "Healthy reference" });
      // A minute until the container runs is nearly all: 1 vCPU at $0.04048, 2 GB of memory at $0.004445, 10 GB of disk at $0.000111 an hour. Requests are $0.00009.
      await page.getByText("On AWS about $0.00038 on spot, $0.00093 on demand", { exact: true }).click();
      await page.getByText("on Fargate with 1 vCPU, 2 GB of memory, 30 GB of disk.").waitFor();
      await page.getByLabel("Check of the result").selectOption("full");
      await page.getByLabel("For playing over a network").check();
      // Another job by now, and the note is still open.
      await page.getByText("on Fargate with 1 vCPU, 2 GB of memory, 30 GB of disk.").waitFor();
      await page.getByText("More options").click();
      await page.getByLabel("Priority", { exact: true }).fill("500");
      await page.getByRole("button", { name: "Start repair" }).click();
      await page.getByText("Priority must be 100 or less.").waitFor();
      await page.getByLabel("Priority", { exact: true }).fill("7");
      await page.getByRole("button", { name: "Start repair" }).click();
      await page.waitForURL("**/jobs/*");
      await visit.heading("Succeeded").waitFor();
      expect(await ask(`/v1${new URL(page.url()).pathname}`)).toMatchObject({
        priority: 7,
        params: {
          inputs: [expect.stringMatching(/^uploads\/.*\/damaged\.mp4$/)],
          references: [expect.stringMatching(/^uploads\/.*\/reference\.mp4$/)],
          verify: "full",
          faststart: true,
        },
      });

      await page.getByText("The index was missing, or did not fit the data.").waitFor();
      const map = /^Map of the damaged file, 71.2 kB: .* recovered; Cut off at the end/;
      expect(await page.getByRole("img", { name: map }).locator(".strip-part").count()).toBe(1);
      await page.getByLabel("Checks of the output").getByText("Playback passed").waitFor();
      // Nothing is moved where the files lie on this machine.
      expect(await page.getByText("object store").count()).toBe(0);
      await page.getByLabel("Log lines").getByText("finish is done").waitFor();

      const link = page.getByRole("link", { name: "Download" });
      const [download] = await Promise.all([page.waitForEvent("download"), link.click()]);
      expect(download.suggestedFilename()).toBe("damaged.mp4");
      const saved = join(folder, "saved.mp4");
      await download.saveAs(saved);
      expect(countPackets(saved)).toBe(128);
      if (!(await canPlay())) return;
      await page.getByLabel("Video damaged.mp4").waitFor();
      await playThrough();
      expect(await page.evaluate('document.querySelector("video").duration')).toBeCloseTo(1.8, 1);
    });

    it("and converts a recording as the form says, shows what came of it, and plays it", async () => {
      await visit.open("/");
      await page.getByLabel("Choose files").setInputFiles([files.matroska]);
      await page.getByText("Uploaded").waitFor();
      await page.getByLabel("What to do").selectOption({ label: "Convert" });
      await page.getByLabel("Convert to").selectOption({ label: "VP9 (WebM)" });
      await page.getByLabel("Speed").selectOption({ label: "Fast" });
      await page.getByLabel("Greatest height").fill("40");
      await page.getByRole("button", { name: "Start convert" }).click();
      await page.waitForURL("**/jobs/*");
      await visit.heading("Succeeded").waitFor();
      await page.getByText(/^libvpx-vp9, -crf 30, preset 3 · 75 pictures · /).waitFor();
      await page.getByLabel("Checks of the output").getByText("75 pictures decoded").waitFor();
      await page.getByLabel("Video output.webm").waitFor();
      await playThrough();
      expect(await page.evaluate('document.querySelector("video").videoHeight')).toBe(40);
    });

    it("several at once, followed live on the job's page and in the list", async () => {
      untrunc.hold(true);
      const damaged = ["one.mp4", "two.mp4", "three.mp4"].map((name) => copyOf(files.damaged, name));
      const list = await visit.openTab("/");
      await list.getByText("Live", { exact: true }).waitFor();
      const id = await visit.submit(damaged, files.reference, "untrunc");
      for (const one of [list, page]) await one.evaluate("window.isSamePage = true");
      const row = list.locator(".job-row", { hasText: "one.mp4 and 2 more" });
      await row.getByText("Running").waitFor();
      await page.getByText("Live", { exact: true }).waitFor();
      await page.getByText("0 of 3 tasks done").waitFor();
      await page.getByText("untrunc is at work").first().waitFor();
      await expect.poll(() => untrunc.waiting().length, WAIT).toBe(2);
      await keepAnswer(list, "/v1/jobs");
      await keepAnswer(page, `/v1/jobs/${id}`);
      untrunc.release(untrunc.waiting()[0] ?? 0);
      await page.getByText("1 of 3 tasks done").waitFor();
      const bar = page.getByRole("progressbar", { name: "Progress of the job" });
      await expect.poll(() => bar.getAttribute("aria-valuenow"), WAIT).toBe("33");
      await row.getByText("33 %").waitFor();
      untrunc.hold(false);
      await page.getByText("3 of 3 tasks done").waitFor();
      await visit.heading("Succeeded").waitFor();
      await row.getByText("Succeeded").waitFor();
      expect(await page.locator("video").count()).toBe(3);
      for (const one of [list, page]) expect(await one.evaluate("window.isSamePage")).toBe(true);
    });

    it("what is put into the watch folder", async () => {
      await visit.open("/watch");
      await page.getByText("The folder is empty").waitFor();
      const ready = join(folder, "watch", "ready");
      copyFileSync(files.reference, join(ready, "healthy.mp4"));
      copyFileSync(files.damaged, join(ready, "broken.mp4"));
      const file = (name: string): Locator => page.locator("tbody tr", { hasText: name });
      await file("broken.mp4").getByText("Exported").waitFor();
      await file("healthy.mp4").getByText("Healthy", { exact: true }).waitFor();
      await page.getByText("Live", { exact: true }).waitFor();
      expect(existsSync(join(ready, "broken.mp4"))).toBe(false);
      expect(hashOf(join(ready, "healthy.mp4"))).toBe(hashOf(files.reference));
      expect(countPackets(join(folder, "watch", "export", "broken.mp4"))).toBe(128);
      await page.getByRole("button", { name: "Scan now" }).click();
      await page.getByRole("link", { name: "Jobs" }).click();
      await page.locator(".job-row", { hasText: "broken.mp4" }).getByText("Succeeded").waitFor();
    });
  });

  describe("has under control", () => {
    it("a job that fails: why, and once more", async () => {
      const text = join(folder, "text.mp4");
      writeFileSync(text, "This is no recording.\n".repeat(1000));
      await visit.submit([text], files.reference);
      await visit.heading("Failed").waitFor();
      await page.locator(".note", { hasText: "The job did not succeed" }).waitFor();
      await visit.press("Retry", "Retry");
      await page.locator(".facts").getByText("2", { exact: true }).waitFor();
      await visit.heading("Failed").waitFor();
      await visit.open("/?status=failed");
      await page.locator(".job-row", { hasText: "text.mp4" }).getByText("attempt 2").waitFor();
    });

    it("a reference that does not fit: it is named", async () => {
      await visit.submit([files.damaged], files.foreign, "native");
      await visit.heading("Failed").waitFor();
      await page.locator(".note", { hasText: "REFERENCE_MISMATCH" }).first().waitFor();
      const failed = page.url();
      // And another one can be given.
      await page.getByLabel("Choose a healthy recording").setInputFiles(files.reference);
      await page.waitForURL((url) => url.href !== failed);
      await visit.heading("Succeeded").waitFor();
      expect(await ask(`/v1${new URL(page.url()).pathname}`)).toMatchObject({
        params: {
          inputs: [expect.stringMatching(/\/damaged\.mp4$/)],
          references: [expect.stringMatching(/\/reference\.mp4$/)],
          engine: "native",
        },
      });
    });

    it("a running job: cancelled, and replayed as a new one", async () => {
      untrunc.hold(true);
      const id = await visit.submit([files.damaged], files.reference, "untrunc");
      await page.getByText("untrunc is at work").waitFor();
      await visit.press("Cancel", "Cancel the job");
      await visit.heading("Cancelled").waitFor();
      await expect.poll(() => ask("/v1/stats"), WAIT).toMatchObject({ workers: { busy: 0 } });
      untrunc.hold(false);
      await visit.press("Replay", "Replay as a new job");
      await page.getByRole("link", { name: id }).waitFor();
      await visit.heading("Succeeded").waitFor();
    });

    it("tasks that were given up: inspected, replayed and discarded", async () => {
      untrunc.hold(true);
      const replayed = await visit.submit([files.damaged], files.reference, "untrunc");
      const discarded = await visit.submit([files.damaged], files.reference, "untrunc");
      const areGivenUp = async (): Promise<boolean> => {
        untrunc.killWaiting();
        const { deadLetters } = (await ask("/v1/dead-letters")) as { readonly deadLetters: readonly unknown[] };
        return deadLetters.length === 2;
      };
      await expect.poll(areGivenUp, WAIT).toBe(true);
      await visit.heading("Failed").waitFor();
      await page.locator(".note", { hasText: "WORKER_LOST" }).first().waitFor();
      untrunc.hold(false);
      await page.getByRole("link", { name: "Queues" }).click();
      const rows = page.getByLabel("Dead letters").locator("tbody tr");
      await rows.nth(1).waitFor();
      await page.getByRole("button", { name: `Inspect work 0 of job ${replayed.slice(-8)}` }).click();
      await page.getByRole("dialog").getByText("4 times").waitFor();
      await page.keyboard.press("Escape");
      await page.getByRole("dialog").waitFor({ state: "detached" });
      await visit.press(`Replay work 0 of job ${replayed.slice(-8)}`, "Replay");
      await rows.nth(1).waitFor({ state: "detached" });
      await visit.press(`Discard work 0 of job ${discarded.slice(-8)}`, "Discard");
      await page.getByText("No dead letters").waitFor();
      await visit.open(`/jobs/${replayed}`);
      await visit.heading("Succeeded").waitFor();
      await visit.open(`/jobs/${discarded}`);
      await visit.heading("Failed").waitFor();
    });

    it("a queue: held, and let go on", async () => {
      await visit.open("/queues");
      await page.getByRole("button", { name: "Pause queue repair" }).click();
      await page.getByText("Paused", { exact: true }).waitFor();
      await visit.submit([files.damaged], files.reference);
      await page.getByText("Waiting for its turn").waitFor();
      const tab = await visit.openTab("/queues");
      await tab.getByRole("button", { name: "Resume queue repair" }).click();
      await visit.heading("Succeeded").waitFor();
    });

    it("the server: what it runs on, and where its settings come from", async () => {
      await visit.open("/system");
      await page.getByText(process.versions.node).waitFor();
      await page.getByLabel("Encoders").getByText("libx264", { exact: true }).waitFor();
      await page
        .getByText(/^[\d.]+ [GT]B free of [\d.]+ [GT]B$/)
        .first()
        .waitFor();
      await page.getByText(join(folder, "data")).first().waitFor();
      const setting = (name: string): Locator => page.locator("tr", { hasText: name });
      await setting("SCAN_INTERVAL_SECONDS").getByText("environment").waitFor();
      await setting("REELMILL_PORT").getByText(new URL(server.url).port).waitFor();
      await setting("REELMILL_PORT").getByText("command line").waitFor();
      await setting("HOST_SMB_ROOT").getByText(join(folder, "watch")).waitFor();
    });
  });

  describe("is for everyone:", () => {
    /** A job whose page has all that a job's page can have. */
    let jobPath: string;

    beforeAll(async () => {
      const made = await visitDashboard(browser, server.url);
      jobPath = `/jobs/${await made.submit([files.damaged], files.reference)}`;
      await made.heading("Succeeded").waitFor();
      await made.close();
    });

    const openWhole = async (path: string): Promise<void> => {
      await visit.open(path);
      await page.waitForLoadState("load");
      await expect.poll(() => page.locator(".loading").count(), WAIT).toBe(0);
      await page.evaluate('for (const details of document.querySelectorAll("details")) details.open = true');
    };

    it("files are uploaded, a job started and cancelled by the keyboard alone", async () => {
      untrunc.hold(true);
      page.on("filechooser", (chooser) => void chooser.setFiles([files.damaged, files.reference]));
      await visit.open("/");
      await visit.tabTo("Choose files");
      await page.keyboard.press("Enter");
      await page.getByText("Uploaded").nth(1).waitFor();
      await visit.tabTo("What reference.mp4 is");
      await page.keyboard.press("h");
      await visit.tabTo("More options");
      await page.keyboard.press("Enter");
      await visit.tabTo("Repair program");
      await page.keyboard.press("u");
      await visit.tabTo("Start repair");
      await page.keyboard.press("Enter");
      await page.getByText("untrunc is at work").waitFor();
      expect(await page.evaluate("document.activeElement.tagName")).toBe("H1");
      await visit.tabTo("Cancel");
      await page.keyboard.press("Enter");
      await page.getByRole("dialog", { name: "Cancel this job?" }).waitFor();
      await visit.tabTo("Cancel the job");
      await page.keyboard.press("Enter");
      await visit.heading("Cancelled").waitFor();
    });

    it("whoever listens to the page hears what everything is", async () => {
      for (const path of [...PAGES, jobPath]) {
        await openWhole(path);
        expect(await page.getByRole("heading", { level: 1 }).count(), path).toBe(1);
        expect(await page.getByRole("main").count(), path).toBe(1);
        await page.getByRole("banner").getByRole("navigation", { name: "Pages" }).waitFor();
        for (const role of [
          "button",
          "link",
          "combobox",
          "textbox",
          "checkbox",
          "img",
          "table",
          "progressbar",
        ] as const) {
          const [all, named] = [page.getByRole(role), page.getByRole(role, { name: /\S/ })];
          expect(await named.count(), `${role} on ${path}`).toBe(await all.count());
        }
      }
      await page.getByRole("region", { name: "Result" }).getByRole("article", { name: "damaged.mp4" }).waitFor();
      await page
        .getByRole("table", { name: "Tasks" })
        .getByRole("row", { name: /damaged.mp4 Succeeded/ })
        .waitFor();
    });

    it("no page is wider than a phone", async () => {
      await page.setViewportSize({ width: 390, height: 844 });
      for (const path of [...PAGES, jobPath]) {
        await openWhole(path);
        expect(await page.evaluate("document.documentElement.scrollWidth"), path).toBe(390);
      }
    });

    it("the colours are the system's", async () => {
      await page.emulateMedia({ colorScheme: "dark" });
      const colours =
        "(({ backgroundColor, color }) => [backgroundColor, color])(getComputedStyle(document.documentElement))";
      for (const path of [...PAGES, jobPath]) {
        await openWhole(path);
        expect(await page.evaluate(colours), path).toEqual(["rgb(20, 23, 26)", "rgb(232, 234, 235)"]);
      }
    });
  });

  it("goes on with an upload, and shows news again, when a server that was killed is back", async () => {
    const place = join(folder, "killed");
    const port = await findFreePort();
    const killed = await startServer(place, port);
    const guest = await visitDashboard(browser, killed.url);
    const large = join(folder, "large.mp4");
    writeFileSync(large, Buffer.alloc(12_000_000, 7));
    const uploads = join(place, "data", "uploads");
    const arrived = (): number =>
      Math.max(...readdirSync(uploads).map((name) => statSync(join(uploads, name)).size), 0);
    const starts: string[] = [];
    guest.page.on("request", (request) => {
      if (request.method() === "PATCH") starts.push(request.headers()["upload-offset"] ?? "");
    });
    try {
      await guest.open("/");
      await guest.limitUpload(4_000_000);
      await guest.page.getByLabel("Choose files").setInputFiles([large]);
      await expect.poll(arrived, WAIT).toBeGreaterThan(2_000_000);
      await killed.kill();
      await guest.page.getByText("Every 3 s").waitFor();
      await guest.page.getByText("The list is not up to date").waitFor();
      const back = await startServer(place, port);
      try {
        await guest.page.getByText("Uploaded").waitFor();
        await guest.page.getByText("Live", { exact: true }).waitFor();
        await guest.page.getByText("The list is not up to date").waitFor({ state: "detached" });
        expect([Number(starts[0]), Number(starts.at(-1)) > 2_000_000]).toEqual([0, true]);
        const { objects } = (await (await fetch(`${back.url}/v1/objects?prefix=uploads`)).json()) as {
          readonly objects: readonly { readonly bytes: number }[];
        };
        expect(objects.map(({ bytes }) => bytes)).toEqual([12_000_000]);
      } finally {
        await guest.close();
        expect(await back.stop()).toBe(0);
      }
      const isPlain = (complaint: string): boolean => !/ERR_(CONNECTION_|INCOMPLETE_|EMPTY_)/.test(complaint);
      expect(guest.complaints.filter(isPlain)).toEqual([]);
    } finally {
      await killed.kill();
    }
  });

  it("asks for the API key where there is one, and plays videos and follows jobs by it", async () => {
    const place = join(folder, "guarded");
    const digest = createHash("sha256").update("s3cret-key").digest("hex");
    const guarded = await startServer(place, await findFreePort(), { REELMILL_API_KEY_SHA256: digest });
    const guest = await visitDashboard(browser, guarded.url);
    const own = page;
    try {
      ({ page } = guest);
      await guest.open("/");
      const key = page.getByLabel("API key", { exact: true });
      await key.fill("wrong");
      await page.getByRole("button", { name: "Open the dashboard" }).click();
      await page.getByRole("alert").getByText("UNAUTHORIZED").waitFor();
      await key.fill("s3cret-key");
      await page.getByRole("button", { name: "Open the dashboard" }).click();
      await page.getByText("No jobs yet").waitFor();
      await guest.submit([files.damaged], files.reference);
      await guest.heading("Succeeded").waitFor();
      await page.reload();
      await guest.heading("Succeeded").waitFor();
      if (await canPlay()) await playThrough();
      await guest.open("/");
      await page.getByText("Live", { exact: true }).waitFor();
      const isPlain = (complaint: string): boolean => !complaint.includes("401");
      expect(guest.complaints.filter(isPlain)).toEqual([]);
      await page.getByRole("button", { name: "Sign out" }).click();
      await key.waitFor();
      expect(await page.evaluate('fetch("/v1/jobs").then(({ status }) => status)')).toBe(401);
      expect(guarded.errors()).not.toContain("s3cret-key");
    } finally {
      page = own;
      await guest.close();
      expect(await guarded.stop()).toBe(0);
    }
  });
});
