import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createMemorySource } from "../bytes/byte-source.ts";
import { ByteWindow } from "../bytes/byte-window.ts";
import { findSequenceHeader } from "./configuration.ts";
import { type Av1State, createAv1State } from "./frame-state.ts";
import { probeAv1Start } from "./probe.ts";
import { probeAv1Sample } from "./sample.ts";

interface Recording {
  readonly samples: readonly Uint8Array[];
  readonly keys: readonly boolean[];
}

let folder: string;
const recordings = new Map<string, Recording>();

/** Encodes a moving picture and returns the packets as a muxer gets them, in decode order. */
function record(name: string, encoder: readonly string[]): Recording {
  const path = join(folder, `${name}.mp4`);
  const input = ["-f", "lavfi", "-i", "testsrc2=s=320x180:r=30:d=1"];
  execFileSync("ffmpeg", ["-v", "error", "-y", ...input, ...encoder, path], { stdio: ["ignore", "ignore", "ignore"] });
  const entries = ["-show_entries", "packet=pos,size,flags", "-of", "csv=p=0"];
  const table = execFileSync("ffprobe", ["-v", "error", ...entries, path], { encoding: "utf8" });
  const bytes = new Uint8Array(readFileSync(path));
  const rows = table
    .trim()
    .split("\n")
    .map((line) => line.split(","));
  return {
    samples: rows.map(([size, pos]) => bytes.subarray(Number(pos), Number(pos) + Number(size))),
    keys: rows.map(([, , flags]) => flags?.includes("K") ?? false),
  };
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "reelmill-av1-"));
  recordings.set("svt", record("svt", ["-c:v", "libsvtav1", "-preset", "12", "-b:v", "300k"]));
  const aom = ["-c:v", "libaom-av1", "-cpu-used", "8", "-b:v", "200k"];
  recordings.set("aom", record("aom", [...aom, "-tiles", "2x2"]));
  recordings.set("aom-realtime", record("aom-realtime", [...aom, "-usage", "realtime", "-lag-in-frames", "0"]));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("probeAv1Sample", () => {
  it.each(["svt", "aom", "aom-realtime"])("finds every sample's exact size whatever follows (%s)", (name) => {
    const { samples, keys } = recordings.get(name) as Recording;
    let state: Av1State = createAv1State();
    samples.forEach((sample, i) => {
      const noise = Uint8Array.from({ length: 64 }, (_, k) => (k * 151 + i * 89 + 7) & 0xff);
      const followers = [noise, samples[i + 1] ?? noise, new Uint8Array(64), new Uint8Array(0)];
      const probes = followers.map((follower) =>
        probeAv1Sample(new ByteWindow(createMemorySource(concat([noise, sample, follower]))), 64, state),
      );
      for (const probe of probes)
        expect(probe).toMatchObject({ kind: "sample", sizeBytes: sample.length, isSync: keys[i] });
      const first = probes[0];
      if (first?.kind === "sample") state = first.nextState;
    });
  });

  it("finds samples again after a loss, knowing the sequence header alone", () => {
    const { samples } = recordings.get("svt") as Recording;
    const state = createAv1State(findSequenceHeader(samples[0] as Uint8Array));
    for (const sample of samples) {
      const probe = probeAv1Sample(new ByteWindow(createMemorySource(sample)), 0, state);
      expect(probe).toMatchObject({ kind: "sample", sizeBytes: sample.length });
    }
  });

  it("says cut where the data end inside a sample", () => {
    const { samples } = recordings.get("aom") as Recording;
    const sample = samples[0] as Uint8Array;
    const probe = probeAv1Sample(new ByteWindow(createMemorySource(sample)), 0, createAv1State(), sample.length - 1);
    expect(probe.kind).toBe("cut");
  });

  it("never throws on mutated samples", () => {
    const { samples } = recordings.get("aom") as Recording;
    const stream = concat(samples.slice(0, 4));
    const state = createAv1State(findSequenceHeader(stream));
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(stream.length - 1), fc.nat(255)), { maxLength: 8 }),
        fc.nat(64),
        (edits, at) => {
          const bytes = stream.slice();
          for (const [index, value] of edits) bytes[index] = value;
          probeAv1Sample(new ByteWindow(createMemorySource(bytes)), at, state);
          probeAv1Start(bytes, at, bytes.length, state);
        },
      ),
    );
  });

  it("takes padding after the frame into the sample, and leaves a foreign byte", () => {
    const { samples } = recordings.get("aom-realtime") as Recording;
    const sample = samples[0] as Uint8Array;
    const padding = Uint8Array.of(0x7a, 0x04, 0xff, 0x00, 0x80, 0x00);
    const stream = concat([sample, padding, Uint8Array.of(0xfc, 0x7a)]);
    const probe = probeAv1Sample(new ByteWindow(createMemorySource(stream)), 0, createAv1State());
    expect(probe).toMatchObject({ kind: "sample", sizeBytes: sample.length + padding.length });
  });
});

describe("probeAv1Start", () => {
  it("sees a start at every sample and at few other places", () => {
    const { samples } = recordings.get("svt") as Recording;
    const stream = concat(samples);
    const state = createAv1State(findSequenceHeader(stream));
    let offset = 0;
    for (const sample of samples) {
      expect(probeAv1Start(stream, offset, stream.length, state).kind).toBe("open");
      offset += sample.length;
    }
    let elsewhere = 0;
    for (let i = 0; i < stream.length; i++)
      if (probeAv1Start(stream, i, stream.length, state).kind !== "no") elsewhere++;
    expect(elsewhere).toBeLessThan(samples.length + stream.length / 100);
  });
});
