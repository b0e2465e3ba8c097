import { execFileSync } from "node:child_process";
import { createDecipheriv } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { checkPresentation } from "../../src/media/hls/check/check-presentation.ts";
import { readContentKey } from "../../src/pipelines/hls/content-key.ts";
import { createDecrypter } from "../../src/pipelines/hls/encrypt.ts";
import { presentationOpener } from "../../src/pipelines/hls/open-presentation.ts";
import { reelmill } from "../e2e/workplace.fixture.ts";
import { readMedia } from "./ladder.fixture.ts";
import { createPackages, type Packaged } from "./package.fixture.ts";

const packages = createPackages();
const KEY = Buffer.from("000102030405060708090a0b0c0d0eff", "hex");

function filesOf(folder: string): readonly string[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

/** The pictures that ffmpeg, given the key as players are, decodes of a playlist. */
function decodedPictures(playlist: string): number {
  const options = ["-v", "error", "-allowed_extensions", "ALL", "-protocol_whitelist", "file,crypto"];
  const count = ["-count_frames", "-select_streams", "v:0", "-show_entries", "stream=nb_read_frames"];
  const text = execFileSync("ffprobe", [...options, ...count, "-of", "csv=p=0", playlist], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
  });
  return Number.parseInt(text, 10);
}

async function outcomes({ folder }: Packaged, key?: Uint8Array): Promise<ReadonlyMap<string, string>> {
  const decrypt = key && createDecrypter(key);
  const open = presentationOpener(folder);
  const { rules } = await checkPresentation(open, "main.m3u8", new AbortController().signal, decrypt);
  return new Map(rules.map(({ id, outcome }) => [id, outcome]));
}

describe("an encrypted package", () => {
  it.each(["separate", "ts"])("plays with the key, keeps the rules, and tells it nowhere: %s", async (segments) => {
    const input = packages.clip(`seven-${segments}.mp4`, { seconds: 7, rate: "25", size: "320x180" });
    const made = await packages.make(input, { segments, encryptKeyUri: "../key.bin" }, KEY);
    const { folder, main, failed, checked } = made;
    expect(failed).toEqual([]);
    expect(checked.rules.filter(({ outcome }) => outcome === "not-checked")).toEqual([]);
    const pictures = main.variants.filter(({ resolution }) => resolution !== undefined);
    for (const path of filesOf(folder)) {
      const bytes = readFileSync(path);
      expect(bytes.includes(KEY)).toBe(false);
      expect(bytes.toString("latin1").toLowerCase()).not.toContain(KEY.toString("hex"));
    }
    for (const { uri } of main.variants) {
      const place = join(folder, uri, "..");
      const { segments: cut, version = 1 } = readMedia(join(folder, uri));
      expect(version).toBeGreaterThanOrEqual(2);
      const vectors = cut.map(({ keys: [key] }) => key?.initializationVector);
      expect(new Set(vectors).size).toBe(cut.length);
      expect(cut.every(({ keys: [key], map }) => key?.method === "AES-128" && map?.keys === undefined)).toBe(true);
      const [first] = cut;
      const decipher = createDecipheriv("aes-128-cbc", KEY, Buffer.from(vectors[0]?.slice(2) ?? "", "hex"));
      const plain = Buffer.concat([decipher.update(readFileSync(join(place, first?.uri ?? ""))), decipher.final()]);
      expect(plain.subarray(4, 8).toString() === "moof" || plain[0] === 0x47 || plain[0] === 0x49).toBe(true);
    }
    writeFileSync(join(folder, "key.bin"), KEY);
    for (const { uri } of pictures) {
      expect(decodedPictures(join(folder, uri))).toBe(175);
      const iFrames = readMedia(join(folder, uri, "..", "iframes.m3u8"));
      const own = readMedia(join(folder, uri));
      for (const { uri: file, keys } of iFrames.segments) {
        expect(keys).toEqual(own.segments.find((segment) => segment.uri === file)?.keys);
      }
    }
  });

  it("is not checked without the key, and fails with another", async () => {
    const made = await packages.make(
      packages.source("srt"),
      { segments: "ts", encryptKeyUri: "https://k.example/1" },
      KEY,
    );
    const texts = made.main.renditions.find(({ type }) => type === "SUBTITLES");
    expect(readMedia(join(made.folder, texts?.uri ?? "")).segments[0]?.keys[0]?.uri).toBe("https://k.example/1");
    const without = await outcomes(made);
    for (const id of ["segments-start-with-idr", "codecs", "resolution", "i-frame-segments", "continuity"]) {
      expect([id, without.get(id)]).toEqual([id, "not-checked"]);
    }
    expect([...without].filter(([, outcome]) => outcome === "failed")).toEqual([]);
    expect(without.get("bandwidth-covers-peak")).toBe("passed");
    const wrong = await outcomes(made, Buffer.alloc(16, 7));
    expect(wrong.get("segments-readable")).toBe("failed");
    expect((await outcomes(made, KEY)).get("segments-start-with-idr")).toBe("passed");
    const key = join(packages.root, "right.key");
    writeFileSync(key, KEY);
    const { output } = await reelmill(["hls", "check", "--json", "--key", key, join(made.folder, "main.m3u8")]);
    expect(JSON.parse(output)).toMatchObject({ isConforming: true, notices: [] });
  });
});

describe("keys and settings that do not go together", () => {
  it.each([
    ["a file for all segments", { encryptKeyUri: "k" }, KEY],
    ["a key that nobody could fetch", { segments: "ts" }, KEY],
    ["no key", { segments: "ts", encryptKeyUri: "k" }, undefined],
  ])("are refused before anything is encoded: %s", async (_name, settings, key) => {
    const refused = packages.make(packages.source("no-audio"), settings, key);
    await expect(refused).rejects.toMatchObject({ code: "PARAMS_INVALID" });
  });

  it("are refused where the key would stand in the playlists", async () => {
    const settings = { segments: "ts", encryptKeyUri: "DATA:application/octet-stream;base64,AAAA" };
    await expect(packages.make(packages.source("no-audio"), settings, KEY)).rejects.toThrow(/URI/);
  });

  it("are refused where the file is no key, without telling what it holds", () => {
    const path = join(packages.root, "long.key");
    writeFileSync(path, "secretsecretsecret");
    expect(() => readContentKey(path)).toThrow(expect.objectContaining({ code: "PARAMS_INVALID" }));
    expect(() => readContentKey(path)).not.toThrow(/secret/);
  });
});
