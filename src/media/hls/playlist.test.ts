import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ReelmillError } from "../../base/errors.ts";
import { createMemorySource } from "../bytes/byte-source.ts";
import { parsePlaylist } from "./parse-playlist.ts";
import { mediaPlaylists, multivariantPlaylists } from "./playlist.fixture.ts";
import type { MediaPlaylist, Playlist } from "./playlist.ts";
import { readPlaylistText } from "./playlist-lines.ts";
import { requiredVersion } from "./required-version.ts";
import { serializePlaylist } from "./serialize-playlist.ts";

function media(...lines: readonly string[]): MediaPlaylist {
  const playlist = parsePlaylist(["#EXTM3U", "#EXT-X-TARGETDURATION:6", ...lines, ""].join("\n"));
  if (playlist.kind !== "media") throw new Error("a media playlist was wanted");
  return playlist;
}

describe("writing and parsing", () => {
  it.each([
    ["media", mediaPlaylists],
    ["multivariant", multivariantPlaylists],
  ] as const)("gives the same %s playlist again", (_kind, playlists) => {
    fc.assert(
      fc.property(playlists as fc.Arbitrary<Playlist>, (playlist) => {
        expect(parsePlaylist(serializePlaylist(playlist))).toEqual(playlist);
      }),
    );
  });

  it("reads CR LF as it reads LF, and passes over comments, blank lines and what it does not know", () => {
    fc.assert(
      fc.property(fc.oneof<fc.Arbitrary<Playlist>[]>(mediaPlaylists, multivariantPlaylists), (playlist) => {
        const [head, ...lines] = serializePlaylist(playlist).split("\n");
        const between = lines.flatMap((line) =>
          line.startsWith("#EXT-X-STREAM-INF") ? [line] : [line, "", "# a comment", "#EXT-X-FUTURE:A=1"],
        );
        expect(parsePlaylist([head, ...between].join("\r\n"))).toEqual(playlist);
      }),
    );
  });

  it("keeps a duration that a plain print would give an exponent", () => {
    const durationSeconds = 1.5e-9;
    const playlist = {
      ...media("#EXTINF:1,", "a.ts"),
      segments: [{ ...media("#EXTINF:1,", "a.ts").segments[0], durationSeconds }],
    };
    const text = serializePlaylist(playlist as MediaPlaylist);
    expect(text).toContain("#EXTINF:0.0000000015,");
    expect((parsePlaylist(text) as MediaPlaylist).segments[0]?.durationSeconds).toBe(durationSeconds);
  });
});

describe("a media playlist", () => {
  it("resolves implied offsets of byte ranges", () => {
    const lines = ["#EXTINF:2,", "#EXT-X-BYTERANGE:100@20", "a.mp4", "#EXTINF:2,", "#EXT-X-BYTERANGE:50", "a.mp4"];
    expect(media(...lines).segments.map(({ byteRange }) => byteRange)).toEqual([
      { offsetBytes: 20, lengthBytes: 100 },
      { offsetBytes: 120, lengthBytes: 50 },
    ]);
  });

  it("applies keys until others of their format, or NONE", () => {
    const lines = [
      ...['#EXT-X-KEY:METHOD=AES-128,URI="a"', "#EXTINF:2,", "1.ts", '#EXT-X-KEY:METHOD=AES-128,URI="b"', "#EXTINF:2,"],
      ...["2.ts", "#EXT-X-KEY:METHOD=NONE", "#EXTINF:2,", "3.ts"],
    ];
    expect(media(...lines).segments.map(({ keys }) => keys.map((key) => key.uri))).toEqual([["a"], ["b"], []]);
  });

  it("announces the version that its features need", () => {
    expect(requiredVersion(media("#EXTINF:2,", "a.ts")).version).toBe(1);
    expect(requiredVersion(media("#EXTINF:2.5,", "a.ts")).version).toBe(3);
    expect(requiredVersion(media("#EXTINF:2,", "#EXT-X-BYTERANGE:1@0", "a.ts")).version).toBe(4);
    const withMap = ['#EXT-X-MAP:URI="i.mp4"', "#EXTINF:2,", "a.m4s"];
    expect(requiredVersion(media("#EXT-X-I-FRAMES-ONLY", ...withMap)).version).toBe(5);
    expect(requiredVersion(media(...withMap)).version).toBe(6);
  });
});

describe("what breaks the specification", () => {
  const HEAD = "#EXTM3U\n#EXT-X-TARGETDURATION:6\n";
  const cases: readonly (readonly [name: string, text: string, message: RegExp])[] = [
    ["no EXTM3U", "#EXT-X-VERSION:3\n", /line 1: it is "#EXT-X-VERSION:3"; #EXTM3U alone is allowed/],
    ["a byte order mark", "\ufeff#EXTM3U\n", /line 1: .*byte order mark/],
    ["an empty file", "", /line 1: the playlist is empty/],
    ["a control character", `${HEAD}#EXTINF:2,\u0007\na.ts\n`, /line 3: .*control character/],
    ["no target duration", "#EXTM3U\n#EXTINF:2,\na.ts\n", /line 3: .*EXT-X-TARGETDURATION/],
    [
      "a huge number",
      `${HEAD}#EXT-X-MEDIA-SEQUENCE:99999999999999999999999\n`,
      /line 3: .*whole number from 0 to 9007/,
    ],
    ["a negative number", `${HEAD}#EXT-X-MEDIA-SEQUENCE:-1\n`, /line 3: #EXT-X-MEDIA-SEQUENCE is "-1"/],
    ["a duration with an exponent", `${HEAD}#EXTINF:1e3,\na.ts\n`, /line 3: #EXTINF is "1e3"/],
    ["a URI without EXTINF", `${HEAD}a.ts\n`, /line 3: a line without #EXTINF before it is "a.ts"/],
    [
      "an implied offset with nothing before it",
      `${HEAD}#EXTINF:2,\n#EXT-X-BYTERANGE:9\na.ts\n`,
      /line 4: .*no offset/,
    ],
    ["a tag twice", `${HEAD}#EXT-X-TARGETDURATION:7\n`, /line 3: #EXT-X-TARGETDURATION stands here again/],
    ["both kinds at once", `${HEAD}#EXT-X-STREAM-INF:BANDWIDTH=1\nv.m3u8\n`, /line 3: .*does not go with/],
    ["variables", `${HEAD}#EXT-X-DEFINE:NAME="a",VALUE="b"\n`, /line 3: #EXT-X-DEFINE is not supported/],
    ["a key without URI", `${HEAD}#EXT-X-KEY:METHOD=AES-128\n`, /line 3: #EXT-X-KEY has no URI/],
    [
      "a value without its quotes",
      `${HEAD}#EXT-X-MAP:URI=i.mp4\n`,
      /line 3: URI of #EXT-X-MAP is "i.mp4"; a text in quotes/,
    ],
    ["an attribute twice", `${HEAD}#EXT-X-MAP:URI="a",URI="b"\n`, /line 3: URI stands twice/],
    ["blanks between attributes", `${HEAD}#EXT-X-MAP:URI="a", BYTERANGE="1@0"\n`, /line 3: .*without blanks/],
    ["an open quote", `${HEAD}#EXT-X-MAP:URI="a\n`, /line 3: the attribute list from here on/],
    [
      "a resolution of three sides",
      "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1,RESOLUTION=1x2x3\nv\n",
      /line 2: RESOLUTION/,
    ],
    ["a stream without its URI", "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n", /line 2: .*not followed by a URI/],
    ["no bandwidth", '#EXTM3U\n#EXT-X-STREAM-INF:CODECS="a"\nv\n', /line 3?2?: .*no BANDWIDTH/],
  ];

  it.each(cases)("is refused with its line: %s", (_name, text, message) => {
    expect(() => parsePlaylist(text)).toThrow(message);
  });

  it("is refused as text that is not UTF-8, or too much of it", () => {
    expect(() => readPlaylistText(createMemorySource(Uint8Array.of(0x23, 0xff)))).toThrow(/not UTF-8/);
    const endless = { sizeBytes: 2 ** 40, read: () => 0 };
    expect(() => readPlaylistText(endless)).toThrow(/1099511627776 bytes; at most/);
  });

  it("is refused when it is to be written", () => {
    const [segment] = media("#EXTINF:2,", "a.ts").segments;
    const write = (change: object): string =>
      serializePlaylist({ ...media(), segments: [{ ...segment, ...change }] } as MediaPlaylist);
    expect(() => write({ uri: "#EXT" })).toThrow(/does not begin with #/);
    expect(() => write({ uri: "a\nb" })).toThrow(ReelmillError);
    expect(() => write({ title: "a\r\n#EXT-X-ENDLIST" })).toThrow(/control character/);
    expect(() => write({ map: { uri: 'a"b' } })).toThrow(/without quotes/);
    expect(() => write({ durationSeconds: Number.NaN })).toThrow(/EXTINF is NaN/);
  });
});

describe("mutated playlists", () => {
  it("are read or refused with a line, never anything else", () => {
    const change = fc.record({
      at: fc.nat({ max: 4000 }),
      drop: fc.nat({ max: 20 }),
      put: fc.oneof(
        fc.string({ maxLength: 8 }),
        fc.constantFrom("\n", "\r\n", '"', ",", "=", "#EXT", "9".repeat(40), "\u0000", "@"),
      ),
    });
    fc.assert(
      fc.property(
        fc.oneof<fc.Arbitrary<Playlist>[]>(mediaPlaylists, multivariantPlaylists),
        fc.array(change, { minLength: 1, maxLength: 4 }),
        (playlist, changes) => {
          let text = serializePlaylist(playlist);
          for (const { at, drop, put } of changes) {
            const index = at % (text.length + 1);
            text = text.slice(0, index) + put + text.slice(index + drop);
          }
          try {
            expect(["media", "multivariant"]).toContain(parsePlaylist(text).kind);
          } catch (error) {
            expect(error).toBeInstanceOf(ReelmillError);
            expect((error as ReelmillError).message).toMatch(/^Playlist line \d+: /);
          }
        },
      ),
      { numRuns: 500 },
    );
  });

  it("of hostile attribute lists are refused in time that grows with their length alone", () => {
    const text = `#EXTM3U\n#EXT-X-STREAM-INF:${'A="'.repeat(200_000)}\nv\n`;
    expect(() => parsePlaylist(text)).toThrow(/line 2/);
    const many = `#EXTM3U\n#EXT-X-STREAM-INF:${Array.from({ length: 100_000 }, (_, i) => `A${i}=1`).join(",")}\nv\n`;
    expect(() => parsePlaylist(many)).toThrow(/more than 256 attributes/);
  });
});
