import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createJob, FAILED_ID, REPAIRED_ID, RUNNING_ID } from "../../web/test-support/mock-data.ts";

import { missingBrowser } from "../support/dashboard.ts";
import { UNDER_WAY, useMockDashboard, WAIT } from "./mock-dashboard.fixture.ts";

const missing = missingBrowser();
if (missing !== undefined) process.stderr.write(`The dashboard is not tested here: ${missing}.\n`);

describe.skipIf(missing !== undefined)("the dashboard, where the server is in a state that is hard to come by,", () => {
  const dashboard = useMockDashboard();

  const focused = (page: Page): Promise<string> => page.evaluate("document.activeElement.textContent");

  describe("jobs", () => {
    it("are listed, and change as the server tells", async () => {
      const page = await dashboard.open("/");
      await page.getByText("Live", { exact: true }).waitFor();
      const row = page.locator(".job-row", { hasText: "C0042.MP4 and 2 more" });
      await row.getByText("42 % · 2 min 08 s left").waitFor();
      const running = dashboard.server.api.jobs.get(RUNNING_ID);
      if (running === undefined) throw new Error("The mock server lost its running job.");
      const updatedAt = new Date().toISOString();
      dashboard.server.publishJob({ ...running, progress: 0.81, etaSeconds: 20, updatedAt });
      await row.getByText("81 % · 20 s left").waitFor();
      expect(await row.getByRole("progressbar").getAttribute("aria-valuenow")).toBe("81");
      dashboard.server.publishJob({ ...running, status: "succeeded", progress: 1, finishedAt: updatedAt, updatedAt });
      await row.getByText("Succeeded").waitFor();
      // Read out as well, once, and without the progress on the way.
      await page.getByRole("status").getByText("C0042.MP4 and 2 more: succeeded").waitFor();
    });

    it("that are new come first, and those that no longer fit the filter go", async () => {
      const page = await dashboard.open("/?status=queued,running");
      await page.locator(".job-row").nth(1).waitFor();
      const params = { inputs: ["uploads/n/new.mp4"] };
      const created = createJob(Date.now(), { id: "n1", params, createdAt: new Date().toISOString() });
      dashboard.server.publishJob(created);
      await page.locator(".job-row").first().getByText("new.mp4").waitFor();
      dashboard.server.publishJob({
        ...created,
        status: "failed",
        updatedAt: new Date(Date.now() + 1000).toISOString(),
      });
      await page.locator(".job-row", { hasText: "new.mp4" }).waitFor({ state: "detached" });
      expect(await page.locator(".job-row").count()).toBe(2);
    });

    it("come page by page", async () => {
      for (let index = 0; index < 30; index++) {
        const createdAt = new Date(Date.now() - 200_000_000 - index * 1000).toISOString();
        const params = { inputs: [`uploads/p/page-${index}.mp4`] };
        dashboard.server.api.jobs.set(`p${index}`, createJob(Date.now(), { id: `p${index}`, params, createdAt }));
      }
      const page = await dashboard.open("/");
      await page.getByRole("link", { name: "Older", exact: true }).click();
      await page.getByText("page-29.mp4").waitFor();
      expect(await page.locator(".job-row").count()).toBe(11);
      await page.getByRole("link", { name: "Newest" }).click();
      await page.getByText("GX010233.MP4").waitFor();
    });

    it("with hostile names are shown as text", async () => {
      const page = await dashboard.open("/");
      await page.getByText("\\u{202e}gnp.evil<img src=x onerror=alert(1)>.mp4").waitFor();
      expect(await page.locator("main img").count()).toBe(0);
    });
  });

  describe("uploads", () => {
    let folder: string;
    // Larger than what lies in the buffers between the browser and the dashboard.server.
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
      const page = await dashboard.open("/");
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
      const page = await dashboard.open("/");
      await page.getByRole("button", { name: "Show the form" }).click();
      await page.getByRole("button", { name: "Start repair" }).click();
      await page.getByRole("alert").getByText("Choose a file and mark it as “Damaged recording”.").waitFor();
      expect(dashboard.server.api.changes).toEqual([]);
      await page.getByLabel("Choose files").setInputFiles([healthy]);
      await page.getByText("Uploaded").waitFor();
      expect(await page.getByText("Choose a file and mark it").count()).toBe(0);
    });

    it("that are all healthy references start nothing; what is missing is said before", async () => {
      const page = await dashboard.open("/");
      await page.getByLabel("Choose files").setInputFiles([healthy]);
      await page.getByText("Uploaded").waitFor();
      const start = page.getByRole("button", { name: "Start repair" });
      expect(await start.isEnabled()).toBe(true);
      await page.getByLabel("What healthy.mp4 is").selectOption({ label: "Healthy reference" });
      await page.getByRole("status").getByText("Mark one file as “Damaged recording”.").waitFor();
      expect(await start.isEnabled()).toBe(false);
      await page.getByLabel("What healthy.mp4 is").selectOption({ label: "Damaged recording" });
      expect(await start.isEnabled()).toBe(true);
      expect(dashboard.server.api.changes.filter((change) => change.includes("jobs"))).toEqual([]);
    });

    it("are asked about in plain words; what few change is folded away, and unfolded where it is wrong", async () => {
      const page = await dashboard.open("/");
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
      const job = dashboard.server.api.jobs.get(page.url().slice(page.url().lastIndexOf("/") + 1));
      const inputs = ["uploads/u1/healthy.mp4"];
      expect(job?.params).toEqual({ inputs, engine: "native", verify: "full", faststart: true });
    });

    it("are paused and go on where they stopped", async () => {
      dashboard.server.uploads.isSlow = true;
      const page = await dashboard.open("/");
      await page.getByLabel("Choose files").setInputFiles([damaged]);
      await page.locator(".upload-row").getByText(UNDER_WAY).waitFor();
      await page.getByRole("button", { name: "Pause the upload of" }).click();
      await page.locator(".upload-row").getByText("Paused").waitFor();
      dashboard.server.uploads.isSlow = false;
      await page.getByRole("button", { name: "Go on with the upload of" }).click();
      await page.getByText("Uploaded").waitFor();
      expect(dashboard.server.uploads.offsets.at(0)).toBe(0);
      expect(dashboard.server.uploads.offsets.at(-1)).toBeGreaterThan(0);
    });

    it("survive a reload: finished ones stay, broken ones go on when the file is chosen again", async () => {
      const page = await dashboard.open("/");
      await page.getByLabel("Choose files").setInputFiles([healthy]);
      await page.getByText("Uploaded").waitFor();
      dashboard.server.uploads.isSlow = true;
      await page.getByLabel("Choose files").setInputFiles([damaged]);
      await page.locator(".upload-row").getByText(UNDER_WAY).waitFor();
      await page.reload();
      await page.locator(".upload-row", { hasText: "healthy.mp4" }).getByText("Uploaded").waitFor();
      await page.getByText("1 upload was broken off").waitFor();
      dashboard.server.uploads.isSlow = false;
      await page.getByLabel("Choose files").setInputFiles([damaged]);
      await page.getByText("Uploaded").nth(1).waitFor();
      expect(dashboard.server.uploads.listFinished()).toHaveLength(2);
    });

    it("can be cancelled", async () => {
      dashboard.server.uploads.isSlow = true;
      const page = await dashboard.open("/");
      await page.getByLabel("Choose files").setInputFiles([damaged]);
      await page.locator(".upload-row").getByText("Sending").waitFor();
      await page.getByRole("button", { name: "Cancel the upload of" }).click();
      await page.locator(".upload-row").waitFor({ state: "detached" });
      expect(dashboard.server.uploads.listFinished()).toEqual([]);
    });
  });

  describe("queues", () => {
    it("replay all at once", async () => {
      const page = await dashboard.open("/queues");
      await page.getByRole("button", { name: "Replay all of repair" }).click();
      await page.getByRole("dialog").getByText("2 messages go back into repair").waitFor();
      await page.getByRole("dialog").getByRole("button", { name: "Replay" }).click();
      await page.getByText("No dead letters").waitFor();
    });
  });

  describe("the watch folder", () => {
    it("shows what is under way; a repair by hand is asked for", async () => {
      const page = await dashboard.open("/watch");
      await page.getByText("63 % · writing").waitFor();
      await page.getByText("The reference C0031.MP4 does not fit.").waitFor();
      await page.getByText("Repaired", { exact: true }).waitFor();
      expect(await page.getByText("Repaired in the cloud").count()).toBe(0);
      await page.getByRole("button", { name: "Repair C0047.MP4 now" }).click();
      await page.getByRole("status").getByText("C0047.MP4 will be repaired.").waitFor();
      expect(dashboard.server.api.changes).toEqual(["POST /repair"]);
    });

    it("says how to watch a folder where none is", async () => {
      dashboard.server.api.watch = { ...dashboard.server.api.watch, isConfigured: false, files: [], counters: {} };
      const page = await dashboard.open("/watch");
      await page.getByText("reelmill up --watch <folder>").waitFor();
    });
  });

  describe("for everyone", () => {
    it.each(["/", `/jobs/${REPAIRED_ID}`, `/jobs/${FAILED_ID}`, "/queues", "/watch", "/system", "/nowhere"])(
      "%s fits a screen of 360 pixels",
      async (path) => {
        const page = await dashboard.open(path, { viewport: { width: 360, height: 740 } });
        await page.waitForLoadState("load");
        await page.locator("h1").waitFor();
        await expect.poll(() => page.locator(".loading").count(), WAIT).toBe(0);
        await page.evaluate('for (const details of document.querySelectorAll("details")) details.open = true');
        expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(360);
      },
    );

    it("puts the user's choice of colours before the system's", async () => {
      const page = await dashboard.open("/", { colorScheme: "dark" });
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
      const page = await dashboard.open("/");
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
      const page = await dashboard.newPage();
      await page.route("**/v1/events", (route) => route.abort());
      await page.goto(`${dashboard.server.url}/`);
      await page.getByText("Every 3 s").waitFor();
      const running = dashboard.server.api.jobs.get(RUNNING_ID);
      if (running === undefined) throw new Error("The mock server lost its running job.");
      dashboard.server.api.jobs.set(RUNNING_ID, { ...running, progress: 0.97 });
      await page.getByText("97 % · ").waitFor();
    });
  });
});
