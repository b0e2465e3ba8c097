import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, BrowserContext, BrowserContextOptions, Locator, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { JobView } from "../../web/src/api/types.ts";
import { createJob, createRepairResult, FAILED_ID, REPAIRED_ID, RUNNING_ID } from "../../web/test-support/mock-data.ts";
import { type MockOptions, type MockServer, startMockServer } from "../../web/test-support/mock-server.ts";
import { type BuiltDashboard, buildDashboard, launchBrowser, missingBrowser } from "../support/dashboard.ts";

/** Bounds what is asked of the page again and again. */
const WAIT = { timeout: 20_000 };

const missing = missingBrowser();
if (missing !== undefined) process.stderr.write(`The dashboard is not tested here: ${missing}.\n`);

describe.skipIf(missing !== undefined)("the dashboard, where the server is in a state that is hard to come by,", () => {
  let built: BuiltDashboard;
  let browser: Browser;
  let server: MockServer;
  let context: BrowserContext;
  /** What the browser complained of: errors, warnings of its security policy, exceptions. */
  let complaints: string[];

  beforeAll(async () => {
    built = buildDashboard();
    browser = await launchBrowser();
  });

  afterAll(async () => {
    await browser?.close();
    built?.remove();
  });

  const start = async (options: Partial<MockOptions> = {}): Promise<void> => {
    server = await startMockServer({ dist: built.dist, videoPath: built.videoPath, ...options });
  };

  beforeEach(() => {
    complaints = [];
  });

  afterEach(async () => {
    await context.close();
    await server.close();
  });

  const open = async (path: string, options: BrowserContextOptions = {}): Promise<Page> => {
    context = await browser.newContext(options);
    const page = await context.newPage();
    page.setDefaultTimeout(20_000);
    page.on("console", (message) => {
      if (message.type() === "error" || message.type() === "warning") complaints.push(message.text());
    });
    page.on("pageerror", (error) => complaints.push(String(error)));
    await page.goto(server.url + path);
    return page;
  };

  const focused = (page: Page): Promise<string> => page.evaluate("document.activeElement.textContent");

  describe("jobs", () => {
    beforeEach(() => start());
    afterEach(() => expect(complaints).toEqual([]));

    it("are listed, and change as the server tells", async () => {
      const page = await open("/");
      await page.getByText("Live", { exact: true }).waitFor();
      const row = page.locator(".job-row", { hasText: "C0042.MP4 and 2 more" });
      await row.getByText("42 % · 2 min 08 s left").waitFor();
      const running = server.api.jobs.get(RUNNING_ID);
      if (running === undefined) throw new Error("The mock server lost its running job.");
      const updatedAt = new Date().toISOString();
      server.publishJob({ ...running, progress: 0.81, etaSeconds: 20, updatedAt });
      await row.getByText("81 % · 20 s left").waitFor();
      expect(await row.getByRole("progressbar").getAttribute("aria-valuenow")).toBe("81");
      server.publishJob({ ...running, status: "succeeded", progress: 1, finishedAt: updatedAt, updatedAt });
      await row.getByText("Succeeded").waitFor();
      // Read out as well, once, and without the progress on the way.
      await page.getByRole("status").getByText("C0042.MP4 and 2 more: succeeded").waitFor();
    });

    it("that are new come first, and those that no longer fit the filter go", async () => {
      const page = await open("/?status=queued,running");
      await page.locator(".job-row").nth(1).waitFor();
      const params = { inputs: ["uploads/n/new.mp4"] };
      const created = createJob(Date.now(), { id: "n1", params, createdAt: new Date().toISOString() });
      server.publishJob(created);
      await page.locator(".job-row").first().getByText("new.mp4").waitFor();
      server.publishJob({ ...created, status: "failed", updatedAt: new Date(Date.now() + 1000).toISOString() });
      await page.locator(".job-row", { hasText: "new.mp4" }).waitFor({ state: "detached" });
      expect(await page.locator(".job-row").count()).toBe(2);
    });

    it("come page by page", async () => {
      for (let index = 0; index < 30; index++) {
        const createdAt = new Date(Date.now() - 200_000_000 - index * 1000).toISOString();
        const params = { inputs: [`uploads/p/page-${index}.mp4`] };
        server.api.jobs.set(`p${index}`, createJob(Date.now(), { id: `p${index}`, params, createdAt }));
      }
      const page = await open("/");
      await page.getByRole("link", { name: "Older", exact: true }).click();
      await page.getByText("page-29.mp4").waitFor();
      expect(await page.locator(".job-row").count()).toBe(11);
      await page.getByRole("link", { name: "Newest" }).click();
      await page.getByText("GX010233.MP4").waitFor();
    });

    it("with hostile names are shown as text", async () => {
      const page = await open("/");
      await page.getByText("\\u{202e}gnp.evil<img src=x onerror=alert(1)>.mp4").waitFor();
      expect(await page.locator("main img").count()).toBe(0);
    });
  });

  describe("uploads", () => {
    beforeEach(() => start());
    afterEach(() => expect(complaints).toEqual([]));

    let folder: string;
    // Larger than what lies in the buffers between the browser and the server.
    let damaged: string;
    let healthy: string;

    beforeAll(() => {
      folder = mkdtempSync(join(tmpdir(), "reelmill-uploads-"));
      damaged = join(folder, "Tag größer 1.mp4");
      healthy = join(folder, "healthy.mp4");
      writeFileSync(damaged, Buffer.alloc(40_000_000, 7));
      writeFileSync(healthy, Buffer.alloc(20_000, 8));
    });

    afterAll(() => rmSync(folder, { recursive: true, force: true }));

    it("start when files are dropped anywhere on the page", async () => {
      const page = await open("/");
      await page.locator("h1").waitFor();
      await page.evaluate(`{
        const dataTransfer = new DataTransfer();
        dataTransfer.items.add(new File(["bytes"], "dropped.mp4"));
        for (const type of ["dragover", "drop"]) {
          document.body.dispatchEvent(new DragEvent(type, { dataTransfer, bubbles: true, cancelable: true }));
        }
      }`);
      await page.locator(".upload-row", { hasText: "dropped.mp4" }).getByText("Uploaded").waitFor();
    });

    it("need a damaged recording before a job starts", async () => {
      const page = await open("/");
      await page.getByRole("button", { name: "Show the form" }).click();
      await page.getByRole("button", { name: "Start repair" }).click();
      await page.getByRole("alert").getByText("Choose a file and mark it as “Damaged recording”.").waitFor();
      expect(server.api.changes).toEqual([]);
      await page.getByLabel("Choose files").setInputFiles([healthy]);
      await page.getByText("Uploaded").waitFor();
      expect(await page.getByText("Choose a file and mark it").count()).toBe(0);
    });

    it("that are all healthy references start nothing; what is missing is said before", async () => {
      const page = await open("/");
      await page.getByLabel("Choose files").setInputFiles([healthy]);
      await page.getByText("Uploaded").waitFor();
      const start = page.getByRole("button", { name: "Start repair" });
      expect(await start.isEnabled()).toBe(true);
      await page.getByLabel("What healthy.mp4 is").selectOption({ label: "Healthy reference" });
      await page.getByRole("status").getByText("Mark one file as “Damaged recording”.").waitFor();
      expect(await start.isEnabled()).toBe(false);
      await page.getByLabel("What healthy.mp4 is").selectOption({ label: "Damaged recording" });
      expect(await start.isEnabled()).toBe(true);
      expect(server.api.changes.filter((change) => change.includes("jobs"))).toEqual([]);
    });

    it("are asked about in plain words; what few change is folded away, and unfolded where it is wrong", async () => {
      const page = await open("/");
      await page.getByLabel("Choose files").setInputFiles([healthy]);
      await page.getByText("Uploaded").waitFor();
      // There is one pipeline alone.
      expect(await page.getByLabel("What to do").count()).toBe(0);
      await page.getByLabel("For playing over a network").check();
      await page.getByLabel("Check of the result").selectOption("Every picture");
      expect(await page.getByLabel("Repair program").isVisible()).toBe(false);
      const options = page.getByText("More options");
      await options.click();
      await page.getByLabel("Repair program").selectOption("Reelmill itself");
      await page.getByLabel("Priority", { exact: true }).fill("500");
      await options.click();
      await page.getByRole("button", { name: "Start repair" }).click();
      await page.getByText("Priority must be 100 or less.").waitFor();
      await page.getByLabel("Priority", { exact: true }).fill("5");
      await page.getByRole("button", { name: "Start repair" }).click();
      await page.waitForURL("**/jobs/created-*");
      const job = server.api.jobs.get(page.url().slice(page.url().lastIndexOf("/") + 1));
      const inputs = ["uploads/u1/healthy.mp4"];
      expect(job?.params).toEqual({ inputs, engine: "native", verify: "full", faststart: true });
    });

    it("are paused and go on where they stopped", async () => {
      server.uploads.delayMs = 10;
      const page = await open("/");
      await page.getByLabel("Choose files").setInputFiles([damaged]);
      await page
        .locator(".upload-row")
        .getByText(/[1-9]\d* % of 40\.0 MB/)
        .waitFor();
      await page.getByRole("button", { name: "Pause the upload of" }).click();
      await page.locator(".upload-row").getByText("Paused").waitFor();
      server.uploads.delayMs = 0;
      await page.getByRole("button", { name: "Go on with the upload of" }).click();
      await page.getByText("Uploaded").waitFor();
      expect(server.uploads.offsets.at(0)).toBe(0);
      expect(server.uploads.offsets.at(-1)).toBeGreaterThan(0);
    });

    it("survive a reload: finished ones stay, broken ones go on when the file is chosen again", async () => {
      const page = await open("/");
      await page.getByLabel("Choose files").setInputFiles([healthy]);
      await page.getByText("Uploaded").waitFor();
      server.uploads.delayMs = 10;
      await page.getByLabel("Choose files").setInputFiles([damaged]);
      await page
        .locator(".upload-row")
        .getByText(/[1-9]\d* % of 40\.0 MB/)
        .waitFor();
      await page.reload();
      await page.locator(".upload-row", { hasText: "healthy.mp4" }).getByText("Uploaded").waitFor();
      await page.getByText("1 upload was broken off").waitFor();
      server.uploads.delayMs = 0;
      await page.getByLabel("Choose files").setInputFiles([damaged]);
      await page.getByText("Uploaded").nth(1).waitFor();
      expect(server.uploads.listFinished()).toHaveLength(2);
    });

    it("can be cancelled", async () => {
      server.uploads.delayMs = 10;
      const page = await open("/");
      await page.getByLabel("Choose files").setInputFiles([damaged]);
      await page.locator(".upload-row").getByText("Sending").waitFor();
      await page.getByRole("button", { name: "Cancel the upload of" }).click();
      await page.locator(".upload-row").waitFor({ state: "detached" });
      expect(server.uploads.listFinished()).toEqual([]);
    });
  });

  describe("one job", () => {
    beforeEach(() => start());
    afterEach(() => expect(complaints).toEqual([]));

    it("shows where its damage lies, in pictures and in words", async () => {
      const page = await open(`/jobs/${REPAIRED_ID}`);
      const strip = page.getByRole("img", { name: /Map of the damaged file, 1\.27 GB: 96\.9 % recovered/ });
      await strip.waitFor();
      const lost = strip.locator(".kind-lost");
      // 291 504 128 of 1 273 000 000 bytes.
      expect(await lost.getAttribute("style")).toContain("inset-inline-start: 22.899%");
      await page.getByText("5 findings by byte range").click();
      const findings = createRepairResult().files[0]?.report?.findings ?? [];
      expect(await page.getByLabel("Findings in the damaged file").locator("tbody tr").count()).toBe(findings.length);
      await page.getByRole("cell", { name: "291,504,128" }).waitFor();
      await page.getByText("Playback passed").waitFor();
      await page.getByText("The index was missing, or did not fit the data.").waitFor();
      await page.getByText("21,504 pictures").waitFor();
      await page.getByText("wrote 1.45 MB; it copied 1.21 GB itself.").waitFor();
    });

    it("is not set back by an answer that is older than the news", async () => {
      const page = await open(`/jobs/${RUNNING_ID}`);
      await page.getByText("Live", { exact: true }).waitFor();
      const held: (() => Promise<void>)[] = [];
      let isHolding = true;
      await page.route(`**/v1/jobs/${RUNNING_ID}`, async (route) => {
        if (!isHolding) return route.continue();
        const response = await route.fetch();
        // A question that the page has given up takes no answer any more.
        held.push(() => route.fulfill({ response }).catch(() => undefined));
      });
      await page.evaluate('document.dispatchEvent(new Event("visibilitychange"))');
      await expect.poll(() => held.length, WAIT).toBeGreaterThan(0);
      isHolding = false;
      const running = server.api.jobs.get(RUNNING_ID);
      if (running === undefined) throw new Error("The mock server lost its running job.");
      server.publishJob({ ...running, progress: 0.81, updatedAt: new Date().toISOString() });
      await page.getByText("81 %").waitFor();
      for (const release of held) await release();
      await page.waitForTimeout(500);
      expect(await page.locator(".job-progress-bar").textContent()).toContain("81 %");
    });

    it("shows its webhook's deliveries and sends one again", async () => {
      const page = await open(`/jobs/${REPAIRED_ID}`);
      await page.getByText("2 attempts, last: status 204 in 184 ms").waitFor();
      await page.getByRole("button", { name: "Redeliver" }).click();
      await page.getByRole("status").getByText("The message will be sent again.").waitFor();
      expect(server.api.changes).toEqual(["POST /v1/webhooks/deliveries/w1/redeliver"]);
    });
  });

  describe("a job that lacks a healthy recording", () => {
    let folder: string;
    let small: string;
    let large: string;
    const damagedKeys = ["uploads/u9/security-cam-07.mp4"];

    beforeAll(() => {
      folder = mkdtempSync(join(tmpdir(), "reelmill-reference-"));
      small = join(folder, "healthy one.mp4");
      large = join(folder, "healthy.mp4");
      writeFileSync(small, Buffer.alloc(20_000, 8));
      writeFileSync(large, Buffer.alloc(40_000_000, 8));
    });
    afterAll(() => rmSync(folder, { recursive: true, force: true }));
    beforeEach(() => start());
    afterEach(() => expect(complaints).toEqual([]));

    const fail = (change: Partial<JobView>): void => {
      const failed = server.api.jobs.get(FAILED_ID);
      if (failed === undefined) throw new Error("The mock server lost its failed job.");
      server.api.jobs.set(FAILED_ID, { ...failed, ...change });
    };
    const chooser = (page: Page): Locator => page.getByLabel("Choose a healthy recording");

    it("is given one by keyboard, and a new job of the same kind starts with it", async () => {
      fail({ params: { inputs: damagedKeys, references: ["uploads/u8/foreign.mp4"], verify: "full" } });
      server.uploads.delayMs = 5;
      const page = await open(`/jobs/${FAILED_ID}`);
      page.on("filechooser", (picker) => void picker.setFiles(large));
      await page.getByRole("region", { name: "Give a healthy recording by the same camera" }).waitFor();
      await chooser(page).focus();
      await page.keyboard.press("Enter");
      await page.getByRole("progressbar", { name: "Upload of healthy.mp4" }).waitFor();
      await page.getByRole("status").getByText("healthy.mp4 is being uploaded.").waitFor();
      await page.getByRole("button", { name: "Pause the upload of" }).click();
      await page.locator(".upload-row").getByText("Paused").waitFor();
      // It belongs to this job, not to the next one.
      await page.getByRole("link", { name: "Jobs" }).first().click();
      await page.getByText("Drop recordings anywhere").waitFor();
      expect(await page.locator(".upload-row").count()).toBe(0);
      await page.goBack();
      server.uploads.delayMs = 0;
      await page.getByRole("button", { name: "Go on with the upload of" }).click();
      await page.waitForURL("**/jobs/created-*");
      await page.getByText("Waiting for its turn").waitFor();
      expect(server.uploads.offsets.at(-1)).toBeGreaterThan(0);
      const job = server.api.jobs.get(page.url().slice(page.url().lastIndexOf("/") + 1));
      expect(job).toMatchObject({
        pipeline: "repair",
        params: { inputs: damagedKeys, references: ["uploads/u1/healthy.mp4"], verify: "full" },
      });
      expect(await page.evaluate("document.activeElement.tagName")).toBe("H1");
    });

    it("goes on with an upload that a reload broke off", async () => {
      server.uploads.delayMs = 10;
      const page = await open(`/jobs/${FAILED_ID}`);
      await chooser(page).setInputFiles([large]);
      await page
        .locator(".upload-row")
        .getByText(/[1-9]\d* % of 40\.0 MB/)
        .waitFor();
      await page.reload();
      await page.getByText("1 upload was broken off").waitFor();
      server.uploads.delayMs = 0;
      await chooser(page).setInputFiles([large]);
      await page.waitForURL("**/jobs/created-*");
      expect(server.uploads.offsets.at(-1)).toBeGreaterThan(0);
    });

    it("says why the new one was not started, and tries again", async () => {
      const page = await open(`/jobs/${FAILED_ID}`);
      await page.route("**/v1/jobs", (route) => route.fulfill({ status: 200, body: "no JSON" }));
      await chooser(page).setInputFiles([small]);
      await page.getByRole("alert").getByText("The new job was not started").waitFor();
      await page.unroute("**/v1/jobs");
      await page.getByRole("button", { name: "Start the new job" }).click();
      await page.waitForURL("**/jobs/created-*");
    });

    it.each(["REFERENCE_REQUIRED", "REFERENCE_MISMATCH", "REFERENCE_UNUSABLE"])(
      "is known by one file's %s, too; to try the same again is offered with a warning",
      async (code) => {
        const error = { code, message: "No." };
        const file = { input: "uploads/u9/security-cam-07.mp4", output: null, status: "failed", error };
        const rest = { references: [], report: null, checks: [], notices: [] };
        const result = { schema: 1, files: [{ ...file, ...rest }], summary: { repaired: 1, healthy: 0, failed: 1 } };
        fail({ status: "partial", error: null, result });
        const page = await open(`/jobs/${FAILED_ID}`);
        await chooser(page).waitFor({ state: "attached" });
        await page.getByRole("button", { name: "Retry" }).click();
        await page.getByRole("dialog").getByText("for want of a healthy recording").waitFor();
      },
    );

    it("is no other one: not another failure, nor a pipeline that takes none", async () => {
      const error = server.api.jobs.get(FAILED_ID)?.error ?? null;
      fail({ error: { code: "NOTHING_RECOVERED", message: "Only zeros." } });
      const page = await open(`/jobs/${FAILED_ID}`);
      await page.locator(".note", { hasText: "Only zeros." }).waitFor();
      expect(await chooser(page).count()).toBe(0);
      fail({ error, pipeline: "convert" });
      const asked = page.waitForResponse("**/v1/pipelines");
      await page.reload();
      await asked;
      await page.locator(".note", { hasText: "another camera" }).waitFor();
      expect(await chooser(page).count()).toBe(0);
    });
  });

  describe("queues", () => {
    beforeEach(() => start());
    afterEach(() => expect(complaints).toEqual([]));

    it("replay all at once", async () => {
      const page = await open("/queues");
      await page.getByRole("button", { name: "Replay all of repair" }).click();
      await page.getByRole("dialog").getByText("2 messages go back into repair").waitFor();
      await page.getByRole("dialog").getByRole("button", { name: "Replay" }).click();
      await page.getByText("No dead letters").waitFor();
    });
  });

  describe("the watch folder", () => {
    beforeEach(() => start());
    afterEach(() => expect(complaints).toEqual([]));

    it("shows what is under way; a repair by hand is asked for", async () => {
      const page = await open("/watch");
      await page.getByText("63 % · writing").waitFor();
      await page.getByText("The reference C0031.MP4 does not fit.").waitFor();
      await page.getByText("Repaired", { exact: true }).waitFor();
      expect(await page.getByText("Repaired in the cloud").count()).toBe(0);
      await page.getByRole("button", { name: "Repair C0047.MP4 now" }).click();
      await page.getByRole("status").getByText("C0047.MP4 will be repaired.").waitFor();
      expect(server.api.changes).toEqual(["POST /repair"]);
    });

    it("says how to watch a folder where none is", async () => {
      server.api.watch = { ...server.api.watch, isConfigured: false, files: [], counters: {} };
      const page = await open("/watch");
      await page.getByText("reelmill up --watch <folder>").waitFor();
    });
  });

  describe("for everyone", () => {
    beforeEach(() => start());
    afterEach(() => expect(complaints).toEqual([]));

    it.each(["/", `/jobs/${REPAIRED_ID}`, `/jobs/${FAILED_ID}`, "/queues", "/watch", "/system", "/nowhere"])(
      "%s fits a screen of 360 pixels",
      async (path) => {
        const page = await open(path, { viewport: { width: 360, height: 740 } });
        await page.waitForLoadState("load");
        await page.locator("h1").waitFor();
        await expect.poll(() => page.locator(".loading").count(), WAIT).toBe(0);
        await page.evaluate('for (const details of document.querySelectorAll("details")) details.open = true');
        expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(360);
      },
    );

    it("puts the user's choice of colours before the system's", async () => {
      const page = await open("/", { colorScheme: "dark" });
      const background = (): Promise<string> =>
        page.evaluate("getComputedStyle(document.documentElement).backgroundColor");
      await page.locator("h1").waitFor();
      expect(await background()).toBe("rgb(20, 23, 26)");
      await page.getByRole("button", { name: "Switch to light" }).click();
      expect(await background()).toBe("rgb(246, 246, 243)");
      await page.reload();
      await page.getByRole("button", { name: "Switch to dark" }).click();
      expect(await background()).toBe("rgb(20, 23, 26)");
    });

    it("is used by keyboard: skip link, focus on the heading of a new page, titles", async () => {
      const page = await open("/");
      await page.locator("h1").waitFor();
      await page.keyboard.press("Tab");
      expect(await focused(page)).toBe("Skip to the content");
      await page.keyboard.press("Enter");
      expect(await page.evaluate("document.activeElement.id")).toBe("content");
      await page.getByRole("link", { name: "Queues" }).press("Enter");
      await expect.poll(() => focused(page), WAIT).toBe("Queues");
      expect(await page.title()).toBe("Queues · Reelmill");
      await page.goBack();
      await expect.poll(() => page.title(), WAIT).toBe("Jobs · Reelmill");
      await page.getByRole("link", { name: "interview-take-3.mp4" }).press("Enter");
      await page.getByRole("button", { name: "Replay" }).press("Enter");
      await page.getByRole("dialog").waitFor();
      await page.keyboard.press("Escape");
      await page.getByRole("dialog").waitFor({ state: "detached" });
      expect(await focused(page)).toBe("Replay");
    });

    it("goes on by asking where the stream of news is shut", async () => {
      context = await browser.newContext();
      await context.route("**/v1/events", (route) => route.abort());
      const page = await context.newPage();
      await page.goto(`${server.url}/`);
      await page.getByText("Every 3 s").waitFor();
      const running = server.api.jobs.get(RUNNING_ID);
      if (running === undefined) throw new Error("The mock server lost its running job.");
      server.api.jobs.set(RUNNING_ID, { ...running, progress: 0.97 });
      await page.getByText("97 % · ").waitFor();
    });
  });
});
