import { execFileSync } from "node:child_process";
import { createDecipheriv, createHash } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { checkPresentation } from "../../src/media/hls/check/check-presentation.ts";
import { readContentKey } from "../../src/pipelines/hls/content-key.ts";
import { createDecrypter } from "../../src/pipelines/hls/encrypt.ts";
import { presentationOpener } from "../../src/pipelines/hls/open-presentation.ts";
import { reelmill } from "../e2e/workplace.fixture.ts";
import { readSamples } from "./cbcs.fixture.ts";
import { readMedia, writePlaylist } from "./ladder.fixture.ts";
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

/**
 * Digests of the pictures or frames of sound that ffmpeg, given the key as players are, hands to its decoders. Of the very last ones of a stream it forgets
 * that they are encrypted, and the first of sound it may lose, as its parser looks at encrypted bytes.
 */
function packetDigests(playlist: string): readonly string[] {
  const options = ["-nostdin", "-v", "error", "-allowed_extensions", "ALL", "-protocol_whitelist", "file,crypto"];
  const copied = ["-i", playlist, "-c", "copy", "-f", "framemd5", "-"];
  const text = execFileSync("ffmpeg", [...options, ...copied], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
  return text.split("\n").flatMap((line) => (line.startsWith("#") ? [] : (line.split(",")[5]?.trim() ?? [])));
}

/** Digests of the samples of a stream: of one file, or of an initialization section and the segments behind it. */
function readWhole([first = Buffer.alloc(0), ...segments]: readonly Buffer[], key?: Buffer): readonly string[] {
  const files = segments.length === 0 ? [first] : segments.map((segment) => Buffer.concat([first, segment]));
  const samples = files.flatMap((file) => readSamples(file, key).samples);
  return samples.map((sample) => createHash("sha1").update(sample).digest("hex"));
}

async function outcomes({ folder }: Pick<Packaged, "folder">, key?: Uint8Array): Promise<ReadonlyMap<string, string>> {
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
    const wrongKey = join(packages.root, "wrong.key");
    writeFileSync(wrongKey, Buffer.alloc(16, 7));
    const main = join(made.folder, "main.m3u8");
    const told = [await reelmill(["hls", "check", main]), await reelmill(["hls", "check", "--key", wrongKey, main])];
    expect(told[0]?.output).toContain("with --key <file>");
    expect(told[1]?.output).toContain("--key is probably not the key of this package");
  });
});

describe("a package whose samples are encrypted", () => {
  const settings = { encryptKeyUri: "../key.bin", encryptMethod: "sample-aes" } as const;
  const ALIKE = { isRepeatable: true };

  it.each(["single-file", "separate"])(
    "keeps the rules, read without the key, and is clear nowhere: %s",
    async (segments) => {
      const input = packages.clip(`samples-${segments}.mp4`, { seconds: 7, rate: "25", size: "320x180" });
      const { folder, main, failed, checked, report } = await packages.make(
        input,
        { ...settings, segments },
        KEY,
        ALIKE,
      );
      const without = await outcomes({ folder });
      expect(failed).toEqual([]);
      expect([...without]).toEqual(checked.rules.map(({ id, outcome }) => [id, outcome]));
      expect([...without.values()]).not.toContain("not-checked");
      for (const id of ["segments-start-with-idr", "i-frame-segments", "sample-encryption", "sample-vector"]) {
        expect([id, without.get(id)]).toEqual([id, "passed"]);
      }
      expect(report.findings).toContain(
        "Pictures and sound are encrypted (SAMPLE-AES); in the clear: poster, thumbnails.",
      );
      const clear = await packages.make(input, { segments }, undefined, ALIKE);
      const keyIds = new Set<string>();
      for (const { uri } of main.variants) {
        const { segments: cut, version = 1 } = readMedia(join(folder, uri));
        expect(version).toBeGreaterThanOrEqual(5);
        const [first] = cut;
        const iv = first?.keys[0]?.initializationVector ?? "";
        const key = { method: "SAMPLE-AES", uri: "../key.bin", keyFormat: "identity", keyFormatVersions: "1" };
        expect(cut.every(({ keys }) => keys.length === 1)).toBe(true);
        expect(first?.keys[0]).toEqual({ ...key, initializationVector: iv });
        expect(iv).toMatch(/^0x[0-9a-f]{32}$/);
        const media = (place: string) => {
          const files = segments === "separate" ? ["init.mp4", ...cut.map((segment) => segment.uri)] : ["media.mp4"];
          return files.map((file) => readFileSync(join(place, uri, "..", file)));
        };
        const whole = Buffer.concat(media(folder));
        expect(whole.includes(KEY)).toBe(false);
        const tenc = whole.indexOf("tenc");
        keyIds.add(whole.toString("hex", tenc + 12, tenc + 28));
        expect(whole.toString("hex", tenc + 29, tenc + 45)).toBe(iv.slice(2));
        const samples = readWhole(media(clear.folder));
        expect(readWhole(media(folder), KEY)).toEqual(samples);
        expect(readWhole(media(folder))).not.toEqual(samples);
      }
      expect(keyIds.size).toBe(1);
    },
  );

  it("is to ffmpeg, given the key, what the clear package is, in transport streams and packed audio, too", async () => {
    const input = packages.clip("samples-ts.mp4", { seconds: 7, rate: "25", size: "320x180" });
    const made = await packages.make(input, { ...settings, segments: "ts" }, KEY, ALIKE);
    const clear = await packages.make(input, { segments: "ts" }, undefined, ALIKE);
    expect(made.failed).toEqual([]);
    const without = await outcomes(made);
    expect([...without.values()]).not.toContain("not-checked");
    expect(without.get("sample-encryption")).toBe("passed");
    writeFileSync(join(made.folder, "key.bin"), KEY);
    for (const { uri } of made.main.variants) {
      const [found, wanted] = [packetDigests(join(made.folder, uri)), packetDigests(join(clear.folder, uri))];
      const first = wanted.indexOf(found[0] ?? "");
      expect([0, 1]).toContain(first);
      expect(found.slice(0, 150)).toEqual(wanted.slice(first, first + 150));
      const files = (folder: string) =>
        readMedia(join(folder, uri)).segments.map((one) => join(folder, uri, "..", one.uri));
      for (const [index, file] of files(made.folder).entries()) {
        const bytes = readFileSync(file);
        expect(bytes.includes(KEY)).toBe(false);
        expect(bytes.equals(readFileSync(files(clear.folder)[index] ?? ""))).toBe(false);
      }
    }
    writeFileSync(join(made.folder, "key.bin"), Buffer.alloc(16, 7));
    const uri = made.main.variants[0]?.uri ?? "";
    const wanted = new Set(packetDigests(join(clear.folder, uri)));
    expect(packetDigests(join(made.folder, uri)).filter((digest) => wanted.has(digest)).length).toBeLessThan(10);
  });

  it("has its subtitles in the clear, and says so", async () => {
    const made = await packages.make(packages.source("srt"), { ...settings, thumbnails: false }, KEY);
    const texts = made.main.renditions.find(({ type }) => type === "SUBTITLES");
    const { segments } = readMedia(join(made.folder, texts?.uri ?? ""));
    expect(segments.flatMap(({ keys }) => keys)).toEqual([]);
    expect(readFileSync(join(made.folder, texts?.uri ?? "", "..", segments[0]?.uri ?? ""), "utf8")).toMatch(/^WEBVTT/);
    expect(made.report.findings).toContain("Pictures and sound are encrypted (SAMPLE-AES); in the clear: subtitles.");
    expect(made.failed).toEqual([]);
  });

  it.each([
    ["a method that nobody knows", "key-methods", { method: "SAMPLE-AES-XTS" }],
    ["a method whose scheme is another", "sample-encryption", { method: "SAMPLE-AES-CTR" }],
    ["another vector", "sample-vector", { initializationVector: "0x1" }],
    ["versions that are no numbers", "key-format-versions", { keyFormatVersions: "1,2" }],
  ])("fails the rule that is broken: %s", async (_what, rule, change) => {
    const { folder, main } = await packages.make(packages.source("no-audio"), settings, KEY);
    const path = join(folder, main.variants[0]?.uri ?? "");
    const media = readMedia(path);
    const segments = media.segments.map((one) => ({ ...one, keys: one.keys.map((key) => ({ ...key, ...change })) }));
    writePlaylist(path, { ...media, segments });
    expect((await outcomes({ folder })).get(rule)).toBe("failed");
  });

  it("fails where the playlist does not tell that samples are encrypted", async () => {
    const { folder, main, report } = await packages.make(packages.source("no-audio"), settings, KEY);
    expect(report.findings).toContain("Pictures are encrypted (SAMPLE-AES); in the clear: poster, thumbnails.");
    const path = join(folder, main.variants[0]?.uri ?? "");
    const media = readMedia(path);
    writePlaylist(path, { ...media, segments: media.segments.map((one) => ({ ...one, keys: [] })) });
    expect((await outcomes({ folder })).get("sample-encryption")).toBe("failed");
  });
});

describe("keys and settings that do not go together", () => {
  it.each([
    ["a file for all segments", { encryptKeyUri: "k" }, KEY],
    ["a key that nobody could fetch", { segments: "ts" }, KEY],
    ["no key", { segments: "ts", encryptKeyUri: "k" }, undefined],
    ["a method without a key", { encryptMethod: "sample-aes" }, undefined],
    ["the usual method without a key", { encryptMethod: "aes-128" }, undefined],
    [
      "a file for all segments, each of which would be encrypted",
      { encryptKeyUri: "k", encryptMethod: "aes-128" },
      KEY,
    ],
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
