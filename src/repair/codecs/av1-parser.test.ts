import { expect, it } from "vitest";
import { createMemorySource } from "../../media/bytes/byte-source.ts";
import { ByteWindow } from "../../media/bytes/byte-window.ts";
import { makeClip } from "../clips.fixture.ts";
import { learnProfile } from "../learn/profile.ts";
import { triage } from "../triage.ts";
import { createAv1Parser } from "./av1-parser.ts";

/** AV1 units in which the encoder often shows hidden frames again, and the configuration. */
function unitsWithHiddenFrames(): { readonly av1C: Uint8Array; readonly units: readonly Uint8Array[] } {
  const source = createMemorySource(makeClip("-an -c:v libsvtav1 -preset 12 -b:v 300k", "mp4", 2));
  const movie = triage(source).movies[0]?.movie;
  const profile = movie && learnProfile(movie, source).tracks[0];
  const av1C = movie?.tracks[0]?.sampleEntries[0]?.children.get("av1C");
  if (profile === undefined || av1C === undefined) throw new Error("The clip has no AV1 track.");
  return { av1C, units: [...profile.readSamples(60)] };
}

it("finds units behind bytes that look like a key frame and are none", () => {
  const { av1C, units } = unitsWithHiddenFrames();
  const decoyAt = 20;
  const decoy = units[0] as Uint8Array;
  const parts = [...units.slice(0, decoyAt), decoy, ...units.slice(decoyAt)];
  const stream = new Uint8Array(Buffer.concat(parts));
  const window = new ByteWindow(createMemorySource(stream));
  const parser = createAv1Parser(av1C, units[0]);
  let offset = 0;
  const found: number[] = [];
  parts.forEach((part, index) => {
    const candidate = parser.probe(window, offset, stream.length);
    if (typeof candidate === "object") {
      found.push(candidate.sizeBytes);
      if (index !== decoyAt) parser.take(candidate);
    }
    offset += part.length;
  });
  expect(units.some((unit) => unit.length === 3)).toBe(true);
  expect(found).toEqual(parts.map((part) => part.length));
});
