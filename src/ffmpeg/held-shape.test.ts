import { execFileSync, spawnSync } from "node:child_process";
import { expect, it } from "vitest";
import { createChangeWatch, describeChange, fitShape, holdShape } from "./held-shape.ts";

const WIDE = { width: 64, height: 36, sampleAspect: { numerator: 1, denominator: 1 }, pixelFormat: "yuv420p" };

/** What ffmpeg says of a picture of that size and shape of samples behind `holdShape`. */
function said(graph: string): Buffer {
  const filters = ["-vf", holdShape(WIDE).join(), "-frames:v", "1", "-f", "null", "-"];
  return spawnSync("ffmpeg", ["-nostdin", "-v", "warning", "-f", "lavfi", "-i", graph, ...filters]).stderr;
}

function changeIn(...pieces: readonly Uint8Array[]): string | null {
  const watch = createChangeWatch();
  for (const piece of pieces) watch.onErrorOutput(piece);
  return watch.change();
}

it.each([
  ["color=s=64x36", null],
  ["color=s=128x72", "size"],
  ["color=s=36x64", "shape"],
  ["color=s=64x36,setsar=4/3", "shape"],
  ["color=s=48x36,setsar=4/3", "size"],
])("hears of %s, where 64x36 of square samples was planned, as a change of %s", (graph, change) => {
  expect(changeIn(said(graph))).toBe(change);
});

it("hears what comes in pieces, and does not forget it", () => {
  const mark = said("color=s=36x64");
  const other = said("color=s=128x72");
  for (let at = 0; at < mark.length; at++) {
    expect(changeIn(mark.subarray(0, at), mark.subarray(at), other)).toBe("shape");
  }
});

it("hands pictures of the planned shape on as they are, and puts others between bars", () => {
  const columns = (filters: readonly string[], graph: string): readonly number[] => {
    const args = ["-nostdin", "-v", "error", "-f", "lavfi", "-i", `${graph},format=yuv420p`, "-vf", filters.join()];
    const pixels = execFileSync("ffmpeg", [...args, "-frames:v", "1", "-f", "rawvideo", "pipe:1"]);
    return [...pixels.subarray(64 * 18, 64 * 19)];
  };
  const bright = (filters: readonly string[], graph: string): number =>
    columns(filters, graph).filter((value) => value > 128).length;
  expect(columns(holdShape(WIDE), "testsrc=s=64x36")).toEqual(columns(["null"], "testsrc=s=64x36"));
  expect(columns(fitShape(WIDE), "testsrc=s=64x36")).toEqual(columns(["null"], "testsrc=s=64x36"));
  expect(bright(fitShape(WIDE), "color=white:s=36x64")).toBe(20);
  expect(bright(fitShape(WIDE), "color=white:s=64x36,setsar=3/4")).toBe(48);
  expect(bright(fitShape(WIDE), "color=white:s=640x100")).toBe(64);
});

it("says the larger change of all", () => {
  expect(describeChange([null, "size", "shape"]).join()).toMatch(/change their shape .* black bars/);
  expect(describeChange([null, "size", undefined]).join()).toMatch(/change their size/);
  expect(describeChange([null, null])).toEqual([]);
});
