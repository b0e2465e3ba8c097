import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { HLS_SETTINGS, packageFile } from "../../src/pipelines/hls/index.ts";
import { launchBrowser, missingBrowser } from "../support/dashboard.ts";
import { collectComplaints } from "./dashboard.fixture.ts";
import { makeTalk, type PlainServer, servePlayers } from "./players.fixture.ts";

const SECONDS = 13;
const RATE = 15;
/** Heights of the rungs, as the multivariant playlist has them. */
const HEIGHTS = [252, 180, 126];
const LADDER = { rungs: HEIGHTS.map((height) => ({ height, kbps: Math.round(height ** 2 / 400) })) };
/** So much faster than the recording it is played through. */
const PLAYING_RATE = 4;
const CODECS = 'video/mp4; codecs="avc1.640015,mp4a.40.2"';

const PLACE = `(({ currentTime, duration }) => ({ currentTime, duration }))(document.querySelector("video"))`;
const KEY = Buffer.from("000102030405060708090a0b0c0d0eff", "hex");

const missing = missingBrowser();
if (missing !== undefined) process.stderr.write(`Packages are not played here: ${missing}.\n`);

describe.skipIf(missing !== undefined)("HLS packages in Chromium", () => {
  let folder: string;
  let server: PlainServer;
  let browser: Browser;
  let page: Page;
  let complaints: string[];

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "reelmill-players-"));
    const recording = makeTalk(folder, {
      seconds: SECONDS,
      picturesPerSecond: RATE,
      widthPixels: 448,
      heightPixels: 252,
    });
    writeFileSync(join(folder, "match.key"), KEY);
    const bySample = { encryptMethod: "sample-aes", encryptKeyUri: "/media/match.key" };
    await Promise.all(["single-file", "separate"].map((segments) => makePackage(recording, segments, { segments })));
    await makePackage(recording, "sample-aes-single-file", bySample);
    // hls.js decrypts no packed audio.
    await makePackage(recording, "sample-aes-ts", { ...bySample, segments: "ts", audio: "none" });
    await makePackage(recording, "ts", { segments: "ts" });
    await makePackage(recording, "aes-128", { segments: "separate", encryptKeyUri: "/media/match.key" });
    await makePackage(recording, "av1", { codecs: ["av1"], preset: "13" });
    server = await servePlayers(folder);
    browser = await launchBrowser();
  });

  afterAll(async () => {
    await browser?.close();
    await server?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  beforeEach(async () => {
    page = await browser.newPage();
    complaints = [];
    collectComplaints(page, complaints);
  });

  afterEach(async () => {
    await page.close();
    expect(complaints).toEqual([]);
  });

  const makePackage = async (input: string, name: string, more: Readonly<Record<string, unknown>>): Promise<void> => {
    await packageFile({
      input,
      output: join(folder, name),
      settings: HLS_SETTINGS.parse({ preset: "ultrafast", ladder: LADDER, ...more }),
      contentKey: "encryptKeyUri" in more ? KEY : undefined,
      environment: process.env,
      signal: new AbortController().signal,
      onProgress: () => undefined,
    });
  };

  const open = async (player: string, segments = "single-file"): Promise<readonly number[]> => {
    await page.goto(`${server.url}/?player=${player}`);
    return await page.evaluate(`openPlayer("/media/${segments}/main.m3u8")`);
  };

  it("has what the packages need, or else nothing here is tested", async () => {
    await page.goto(server.url);
    expect(await page.evaluate(`MediaSource.isTypeSupported(${JSON.stringify(CODECS)})`)).toBe(true);
  });

  // hls.js decrypts no samples within fragmented MP4; Shaka Player has the browser do it (Encrypted Media Extensions, Clear Key).
  it("plays and switches between rungs whose samples are encrypted, with the key that the playlists lead to", async () => {
    await open("shaka", "sample-aes-single-file");
    await page.evaluate(`player.begin(${HEIGHTS[2]})`);
    await page.evaluate(`player.change(${HEIGHTS[0]})`);
    await page.evaluate('player.hear("de")');
    await page.evaluate(`player.end(${PLAYING_RATE})`);
    expect(await page.evaluate("player.complaints")).toEqual([]);
    expect(await page.evaluate("document.querySelector('video').mediaKeys !== null")).toBe(true);
    const { currentTime, duration } = (await page.evaluate(PLACE)) as Readonly<Record<string, number>>;
    expect(currentTime).toBe(duration);
    expect(duration).toBeCloseTo(SECONDS, 1);
  });

  it("plays transport streams whose pictures are encrypted by hls.js, which decrypts them itself", async () => {
    await open("hls", "sample-aes-ts");
    await page.evaluate(`player.begin(${HEIGHTS[2]})`);
    await page.evaluate(`player.change(${HEIGHTS[0]})`);
    await page.evaluate(`player.end(${PLAYING_RATE})`);
    expect(await page.evaluate("player.complaints")).toEqual([]);
    expect(await page.evaluate("document.querySelector('video').ended")).toBe(true);
  });

  it.each([
    ["hls", "transport streams", "ts"],
    ["hls", "encrypted segments", "aes-128"],
    ["shaka", "encrypted segments", "aes-128"],
    ["hls", "AV1", "av1"],
  ])("plays with %s, and switches between, rungs of %s", async (player, _what, name) => {
    await open(player, name);
    await page.evaluate(`player.begin(${HEIGHTS[2]})`);
    await page.evaluate(`player.change(${HEIGHTS[0]})`);
    await page.evaluate(`player.end(${PLAYING_RATE})`);
    expect(await page.evaluate("player.complaints")).toEqual([]);
    const { currentTime, duration } = (await page.evaluate(PLACE)) as Readonly<Record<string, number>>;
    expect(currentTime).toBe(duration);
    expect(duration).toBeCloseTo(SECONDS, 1);
  });

  it("plays nothing of such rungs with another key", async () => {
    await page.route("**/match.key", (route) => route.fulfill({ body: Buffer.alloc(16, 7) }));
    await open("shaka", "sample-aes-single-file");
    await page.evaluate(`void player.begin(${HEIGHTS[2]}).catch(() => undefined)`);
    await page.waitForFunction("player.complaints.length > 0 || document.querySelector('video').currentTime > 2");
    expect(await page.evaluate("player.complaints.length")).toBeGreaterThan(0);
  });

  describe.each(["hls", "shaka"])("%s", (player) => {
    it.each(HEIGHTS)("plays the rung of %i lines through, without a gap, a stall or an error", async (height) => {
      const heights = await open(player);
      expect(heights.toSorted((a, b) => b - a)).toEqual(HEIGHTS);
      const seen = (await page.evaluate(`player.playThrough(${height}, ${PLAYING_RATE})`)) as {
        readonly heights: readonly number[];
        readonly duration: number;
        readonly currentTime: number;
        readonly pictures: number;
      };
      expect(await page.evaluate("player.complaints")).toEqual([]);
      expect(seen.heights).toEqual([height]);
      expect(seen.currentTime).toBe(seen.duration);
      expect(seen.duration).toBeCloseTo(SECONDS, 1);
      expect(seen.pictures).toBeGreaterThan(SECONDS * RATE * 0.9);
    });

    it.each(["single-file", "separate"])("switches between rungs while it plays: %s", async (segments) => {
      await open(player, segments);
      await page.evaluate(`player.begin(${HEIGHTS[2]})`);
      const places = [0];
      for (const height of [HEIGHTS[0], HEIGHTS[1], HEIGHTS[2]]) {
        places.push(await page.evaluate(`player.change(${height})`));
      }
      expect(places).toEqual(places.toSorted((a, b) => a - b));
      expect(places.at(-1)).toBeLessThan(SECONDS - 1);
      await page.evaluate(`player.end(${PLAYING_RATE})`);
      expect(await page.evaluate("player.complaints")).toEqual([]);
    });

    it("has the languages and the subtitles", async () => {
      await open(player);
      await page.evaluate(`player.begin(${HEIGHTS[2]})`);
      const languages = (await page.evaluate("player.languages()")) as readonly string[];
      expect(languages.toSorted()).toEqual(["de", "en"]);
      await page.evaluate('player.hear("de")');
      await page.evaluate("player.read()");
      // Shaka Player knows the times of subtitles by the next segment of pictures alone.
      await page.evaluate(`player.change(${HEIGHTS[1]})`);
      expect(await page.evaluate("player.words(2)")).toEqual(["First words"]);
      expect(await page.evaluate("player.words(8)")).toEqual(["Second words"]);
      expect(await page.evaluate("player.complaints")).toEqual([]);
    });
  });
});
