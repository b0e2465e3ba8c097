import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Locator, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { JobView } from "../../web/src/api/types.ts";
import { createRepairResult, FAILED_ID, REPAIRED_ID, RUNNING_ID } from "../../web/test-support/mock-data.ts";
import { missingBrowser } from "../support/dashboard.ts";
import { UNDER_WAY, useMockDashboard, WAIT } from "./mock-dashboard.fixture.ts";

const missing = missingBrowser();
if (missing !== undefined) process.stderr.write(`The page of one job is not tested here: ${missing}.\n`);

/** Keeps the server's answers to an address from the page until they are let go; later ones pass. */
async function holdAnswers(page: Page, address: string) {
  const held: (() => Promise<void>)[] = [];
  let isHolding = true;
  await page.route(address, async (route) => {
    if (!isHolding) return route.continue();
    const response = await route.fetch();
    // A question that the page has given up takes no answer any more.
    held.push(() => route.fulfill({ response }).catch(() => undefined));
  });
  const letGo = async (): Promise<void> => {
    isHolding = false;
    for (const release of held) await release();
  };
  return { held, letGo };
}

describe.skipIf(missing !== undefined)("the dashboard's page", () => {
  const dashboard = useMockDashboard();

  describe("one job", () => {
    it("shows where its damage lies, in pictures and in words", async () => {
      const page = await dashboard.open(`/jobs/${REPAIRED_ID}`);
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
      const page = await dashboard.open(`/jobs/${RUNNING_ID}`);
      await page.getByText("Live", { exact: true }).waitFor();
      const answers = await holdAnswers(page, `**/v1/jobs/${RUNNING_ID}`);
      await page.evaluate('document.dispatchEvent(new Event("visibilitychange"))');
      await expect.poll(() => answers.held.length, WAIT).toBeGreaterThan(0);
      dashboard.publishProgress(0.81);
      await page.getByText("81 %").waitFor();
      await answers.letGo();
      await page.waitForTimeout(500);
      expect(await page.locator(".job-progress-bar").textContent()).toContain("81 %");
    });

    it("asks again where the first answer is older than the news", async () => {
      const page = await dashboard.open("/");
      const answers = await holdAnswers(page, `**/v1/jobs/${RUNNING_ID}`);
      const listening = page.waitForResponse(`**/v1/jobs/${RUNNING_ID}/events`);
      await page.evaluate(`location.href = "/jobs/${RUNNING_ID}"`);
      await Promise.all([listening, expect.poll(() => answers.held.length, WAIT).toBeGreaterThan(0)]);
      dashboard.publishProgress(0.81);
      // News are gathered for a moment before they are shown.
      await page.waitForTimeout(500);
      await answers.letGo();
      // It asks anyway, but only after half a minute.
      await page.locator(".job-progress-bar").getByText("81 %").waitFor({ timeout: 15_000 });
    });

    it("shows its webhook's deliveries and sends one again", async () => {
      const page = await dashboard.open(`/jobs/${REPAIRED_ID}`);
      await page.getByText("2 attempts, last: status 204 in 184 ms").waitFor();
      await page.getByRole("button", { name: "Redeliver" }).click();
      await page.getByRole("status").getByText("The message will be sent again.").waitFor();
      expect(dashboard.server.api.changes).toEqual(["POST /v1/webhooks/deliveries/w1/redeliver"]);
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
    const fail = (change: Partial<JobView>): void => {
      const failed = dashboard.server.api.jobs.get(FAILED_ID);
      if (failed === undefined) throw new Error("The mock server lost its failed job.");
      dashboard.server.api.jobs.set(FAILED_ID, { ...failed, ...change });
    };
    const chooser = (page: Page): Locator => page.getByLabel("Choose a healthy recording");

    it("is given one by keyboard, and a new job of the same kind starts with it", async () => {
      fail({ params: { inputs: damagedKeys, references: ["uploads/u8/foreign.mp4"], verify: "full" } });
      dashboard.server.uploads.isSlow = true;
      const page = await dashboard.open(`/jobs/${FAILED_ID}`);
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
      dashboard.server.uploads.isSlow = false;
      await page.getByRole("button", { name: "Go on with the upload of" }).click();
      await page.waitForURL("**/jobs/created-*");
      await page.getByText("Waiting for its turn").waitFor();
      expect(dashboard.server.uploads.offsets.at(-1)).toBeGreaterThan(0);
      const job = dashboard.server.api.jobs.get(page.url().slice(page.url().lastIndexOf("/") + 1));
      expect(job).toMatchObject({
        pipeline: "repair",
        params: { inputs: damagedKeys, references: ["uploads/u1/healthy.mp4"], verify: "full" },
      });
      expect(await page.evaluate("document.activeElement.tagName")).toBe("H1");
    });

    it("goes on with an upload that a reload broke off", async () => {
      dashboard.server.uploads.isSlow = true;
      const page = await dashboard.open(`/jobs/${FAILED_ID}`);
      await chooser(page).setInputFiles([large]);
      await page.locator(".upload-row").getByText(UNDER_WAY).waitFor();
      await page.reload();
      await page.getByText("1 upload was broken off").waitFor();
      dashboard.server.uploads.isSlow = false;
      await chooser(page).setInputFiles([large]);
      await page.waitForURL("**/jobs/created-*");
      expect(dashboard.server.uploads.offsets.at(-1)).toBeGreaterThan(0);
    });

    it("says why the new one was not started, and tries again", async () => {
      const page = await dashboard.open(`/jobs/${FAILED_ID}`);
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
        const page = await dashboard.open(`/jobs/${FAILED_ID}`);
        await chooser(page).waitFor({ state: "attached" });
        await page.getByRole("button", { name: "Retry" }).click();
        await page.getByRole("dialog").getByText("for want of a healthy recording").waitFor();
      },
    );

    it("is no other one: not another failure, nor a pipeline that takes none", async () => {
      const error = dashboard.server.api.jobs.get(FAILED_ID)?.error ?? null;
      fail({ error: { code: "NOTHING_RECOVERED", message: "Only zeros." } });
      const page = await dashboard.open(`/jobs/${FAILED_ID}`);
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
});
