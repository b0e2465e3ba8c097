import type { Browser, BrowserContextOptions, Locator, Page } from "playwright-core";
import { expect } from "vitest";

/** Bounds what is waited for; a machine under load may take long. */
export const WAIT = { timeout: 60_000 };

/** A browser that shows the dashboard of one server. */
export interface Visit {
  readonly page: Page;
  /** What the browser complained of: errors, warnings of its security policy, exceptions, refused and failed requests. */
  readonly complaints: string[];
  open(path: string): Promise<void>;
  /** The badge beside the title of the page, such as `Succeeded`. */
  heading(text: string): Locator;
  /** Uploads files by the page and starts a repair of the first ones by the last one; ends on the job's page and gives its id. */
  submit(damaged: readonly string[], reference: string, engine?: "native" | "untrunc"): Promise<string>;
  /** Presses a button and then the one in the question that it asks. */
  press(button: string | RegExp, confirmation: string): Promise<void>;
  /** Presses Tab until that control has the focus, as somebody without a mouse does. */
  tabTo(name: string): Promise<void>;
  /** Opens another tab of the same session. */
  openTab(path: string): Promise<Page>;
  /** Lets no more than so many bytes a second go to the server. */
  limitUpload(bytesPerSecond: number): Promise<void>;
  close(): Promise<void>;
}

const NAME_OF_FOCUSED = `(() => {
  const { activeElement } = document;
  const name = activeElement.getAttribute("aria-label") ?? activeElement.labels?.[0]?.textContent;
  return (name ?? activeElement.textContent).trim();
})()`;

/** Notes what the browser complains of on a page, which waits as long as `WAIT` for anything. */
export function collectComplaints(page: Page, complaints: string[]): void {
  page.setDefaultTimeout(WAIT.timeout);
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("response", (response) => {
    if (response.status() >= 400) complaints.push(`${response.status()} ${response.url()}`);
  });
  page.on("requestfailed", (request) => {
    const reason = request.failure()?.errorText;
    // Left by the page itself: a stream or a video of a page that was left.
    if (reason !== "net::ERR_ABORTED") complaints.push(`${reason} ${request.url()}`);
  });
}

/** Opens a window at a server; nothing is loaded yet. */
export async function visitDashboard(
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
): Promise<Visit> {
  const context = await browser.newContext({ ...options, baseURL: url });
  const complaints: string[] = [];
  const page = await context.newPage();
  collectComplaints(page, complaints);
  const open = async (path: string): Promise<void> => {
    await page.goto(path);
    await page.locator("h1").waitFor();
  };
  return {
    page,
    complaints,
    open,
    heading: (text) => page.locator(".page-heading").getByText(text, { exact: true }),
    submit: async (damaged, reference, engine) => {
      await open("/");
      await page.getByLabel("Choose files").setInputFiles([...damaged, reference]);
      await page.getByText("Uploaded").nth(damaged.length).waitFor();
      const name = reference.slice(reference.lastIndexOf("/") + 1);
      await page.getByLabel(`What ${name} is`).selectOption({ label: "Healthy reference" });
      if (engine !== undefined) {
        await page.getByText("More options").click();
        await page.getByLabel("Repair program").selectOption(engine);
      }
      await page.getByRole("button", { name: "Start repair" }).click();
      await page.waitForURL("**/jobs/*");
      return page.url().slice(page.url().lastIndexOf("/") + 1);
    },
    press: async (button, confirmation) => {
      await page.getByRole("button", { name: button }).click();
      await page.getByRole("dialog").getByRole("button", { name: confirmation }).click();
      await page.getByRole("dialog").waitFor({ state: "detached" });
    },
    tabTo: async (name) => {
      const passed: string[] = [];
      for (let count = 0; count < 80; count++) {
        await page.keyboard.press("Tab");
        const focused: string = await page.evaluate(NAME_OF_FOCUSED);
        if (focused === name) return;
        passed.push(focused);
      }
      expect(passed).toContain(name);
    },
    openTab: async (path) => {
      const tab = await context.newPage();
      collectComplaints(tab, complaints);
      await tab.goto(path);
      return tab;
    },
    limitUpload: async (uploadThroughput) => {
      const session = await context.newCDPSession(page);
      const limits = { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput };
      await session.send("Network.emulateNetworkConditions", limits);
    },
    close: () => context.close(),
  };
}
