import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Browser, BrowserContext, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect } from "vitest";
import { RUNNING_ID } from "../../web/test-support/mock-data.ts";
import { type MockServer, startMockServer } from "../../web/test-support/mock-server.ts";
import { buildServedDashboard, launchBrowser } from "../support/dashboard.ts";
import { makeRecording } from "../support/make-recording.ts";
import { collectComplaints } from "./dashboard.fixture.ts";

/** Bounds what is asked of a page before the mock server, again and again. */
export const WAIT = { timeout: 20_000 };

/** What an upload of 40 MB says of which some bytes are sent, from its beginning: behind a file's name, `damaged.mp4` and `0 % of` would be `40 % of`. */
export const UNDER_WAY = /^[1-9]\d* % of 40\.0 MB/;

const DIST = fileURLToPath(new URL("../../web/dist", import.meta.url));

/** The dashboard in a browser before a mock server, one to each test. */
export interface MockDashboard {
  /** The present test's. */
  readonly server: MockServer;
  /** An empty page in a context of its own, which may complain. */
  readonly newPage: () => Promise<Page>;
  /** Opens a page in a context of its own; what the browser complains of there, errors, warnings of its security policy, exceptions, fails the test. */
  readonly open: (path: string, options?: BrowserContextOptions) => Promise<Page>;
  /** Tells how far the running job is. */
  readonly publishProgress: (progress: number) => void;
}

/** Starts and ends what it takes, for the tests of the block that calls it. */
export function useMockDashboard(): MockDashboard {
  let folder: string;
  let browser: Browser;
  let server: MockServer;
  let context: BrowserContext;
  let complaints: string[];

  beforeAll(async () => {
    buildServedDashboard();
    folder = mkdtempSync(join(tmpdir(), "reelmill-mock-dashboard-"));
    const args = "-c:v libx264 -pix_fmt yuv420p -c:a aac -movflags +faststart";
    writeFileSync(join(folder, "video.mp4"), makeRecording(folder, { extension: "mp4", args, durationSeconds: 2 }));
    browser = await launchBrowser();
  });

  afterAll(async () => {
    await browser?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  beforeEach(async () => {
    complaints = [];
    server = await startMockServer({ dist: DIST, videoPath: join(folder, "video.mp4") });
  });

  afterEach(async () => {
    await context.close();
    await server.close();
    expect(complaints).toEqual([]);
  });

  const newPage = async (options: BrowserContextOptions = {}): Promise<Page> => {
    context = await browser.newContext(options);
    return await context.newPage();
  };
  const open = async (path: string, options?: BrowserContextOptions): Promise<Page> => {
    const page = await newPage(options);
    collectComplaints(page, complaints);
    page.setDefaultTimeout(WAIT.timeout);
    await page.goto(server.url + path);
    return page;
  };
  const publishProgress = (progress: number): void => {
    const running = server.api.jobs.get(RUNNING_ID);
    if (running === undefined) throw new Error("The mock server lost its running job.");
    server.publishJob({ ...running, progress, updatedAt: new Date().toISOString() });
  };
  return {
    get server() {
      return server;
    },
    newPage,
    open,
    publishProgress,
  };
}
