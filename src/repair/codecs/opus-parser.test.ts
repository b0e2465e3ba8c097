import { expect, it } from "vitest";
import { createMemorySource } from "../../media/bytes/byte-source.ts";
import { ByteWindow } from "../../media/bytes/byte-window.ts";
import { makeClip } from "../clips.fixture.ts";
import { learnProfile } from "../learn/profile.ts";
import { triage } from "../triage.ts";
import { createOpusParser } from "./opus-parser.ts";

function opusPackets(): readonly Uint8Array[] {
  const source = createMemorySource(makeClip("-vn -c:a libopus -b:a 96k", "mp4", 2));
  const movie = triage(source).movies[0]?.movie;
  const profile = movie && learnProfile(movie, source).tracks[0];
  if (profile === undefined) throw new Error("The clip has no track.");
  return [...profile.readSamples(100)];
}

it("ends a run where a longer packet of another track begins that the end of the data cuts", () => {
  const packets = opusPackets();
  const largest = Math.max(...packets.map((packet) => packet.length));
  const cut = Uint8Array.from({ length: 6 * largest }, (_, index) => (Math.imul(index + 1, 2654435761) >>> 13) & 0xff);
  const parser = createOpusParser(packets.slice(0, 60), 20 * largest);
  for (const packet of packets.slice(60)) {
    const window = new ByteWindow(createMemorySource(new Uint8Array(Buffer.concat([packet, cut]))));
    const run = parser.findRun?.(window, {
      from: 0,
      end: packet.length + cut.length,
      mayBeCut: true,
      followBits: (offset) => (offset === packet.length ? 10 : 0),
      startBits: (offset) => (offset === 0 ? 0 : Number.NEGATIVE_INFINITY),
    });
    expect(run?.packets.map(({ sizeBytes }) => sizeBytes)).toEqual([packet.length]);
  }
});
