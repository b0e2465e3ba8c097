import { describe, expect, it } from "vitest";
import { ReelmillError } from "../../base/errors.ts";
import type { CliContext } from "./cli-context.ts";
import { exitCodeOf } from "./exit-codes.ts";
import { reportFailure, reportFileFailure, reportSkipped, requireUncancelled } from "./failure.ts";
import { runProgram } from "./program.ts";
import { createProgressBar } from "./progress-bar.ts";
import { createRecordingContext } from "./recording-context.fixture.ts";
import { nameSwitches, nameSwitchesOf } from "./switches.ts";
import { formatTable } from "./table.ts";

async function run(args: readonly string[], context: CliContext): Promise<number> {
  return await runProgram(args, "1.2.3", context).catch((error: unknown) => reportFailure(error, args, context));
}

describe("runProgram", () => {
  it.each([
    [["--help"], "Usage: reelmill"],
    [["repair", "--help"], "--in-place"],
    [["help", "inspect"], "--json"],
    [["--version"], "1.2.3"],
  ])("answers %j with status 0 on standard output", async (args, text) => {
    const context = createRecordingContext();
    expect(await runProgram(args, "1.2.3", context)).toBe(0);
    expect(context.written.output).toContain(text);
    expect(context.written.error).toBe("");
  });

  it.each([
    [["mend"], "unknown command 'mend'"],
    [["repair", "a.mp4", "--frob"], "unknown option '--frob'"],
    [["repair", "a.mp4", "--engine", "magic"], "Allowed choices are native, untrunc, auto"],
    [["repair", "-r", "ok.mp4", "broken.mp4"], "Put the damaged files before -r"],
    [["inspect"], "missing required argument 'file'"],
    [["hls", "check", "main.m3u8", "--preview"], "--preview is of `reelmill hls`, which makes packages"],
    [["hls", "-o", "made", "check", "main.m3u8"], "--output is of `reelmill hls`"],
    [["hls", "a.mp4", "-o", ""], "It is empty"],
    [["convert", "a.mp4", "--to", "av1", "-o", ""], "It is empty"],
    [["repair", "a.mp4", "-o", ""], "It is empty"],
    [["submit", "repair", "a.mp4", "-o", ""], "It is empty"],
    [["hls", "a.mp4", "-o", "b", "--codecs", "h264,hvec"], '--codecs: "hvec" must be one of h264, hevc, av1.'],
    [["convert", "a.mp4", "--to", "av1", "--width", "0"], "--width: 0 must be at least 16."],
    [["convert", "a.mp4", "--to", "av1", "--target-size", "1XB"], '--target-size: "1XB" must be like 700MB'],
    [[], "Usage: reelmill"],
  ])("refuses %j with status 2 on standard error", async (args, text) => {
    const context = createRecordingContext();
    expect(await run(args, context)).toBe(2);
    expect(context.written.error).toContain(text);
    expect(context.written.error).toMatch(/^reelmill: .*\(USAGE\)\n$/m);
    expect(context.written.output).toBe("");
  });

  it.each([
    ["an option that there is not", ["convert", "a.mp4", "--to", "av1", "--frob", "--json"], "unknown option '--frob'"],
    ["an option that lacks its value", ["hls", "a.mp4", "--json", "-o"], "argument missing"],
    ["a choice that there is not", ["hls", "a.mp4", "-o", "b", "--segments", "mkv", "--json"], "Allowed choices are"],
    ["a number that is none", ["convert", "a.mp4", "--to", "av1", "--quality", "x", "--json"], "It must be a number."],
    ["an option that must be given", ["convert", "a.mp4", "--json"], "--to <codec>"],
    ["an argument too many", ["hls", "check", "a.m3u8", "b.m3u8", "--json"], "too many arguments"],
    ["settings that do not go together", ["convert", "a", "--to", "av1", "--quality", "600", "--json"], "--quality"],
  ])("prints %s as JSON with --json", async (_, args, text) => {
    const context = createRecordingContext();
    expect(await run(args, context)).toBe(2);
    const message = expect.stringContaining(text);
    expect(JSON.parse(context.written.output)).toEqual({ schema: 1, error: { code: "USAGE", message } });
    expect(context.written.error).toContain(text);
  });

  it("prints what a package fails of as JSON with --json", async () => {
    const context = createRecordingContext({ environment: { PATH: process.env["PATH"] } });
    expect(await run(["hls", "/nowhere/a.mp4", "-o", "/nowhere/a", "--json"], context)).toBe(1);
    expect(JSON.parse(context.written.output)).toMatchObject({ schema: 1, error: { code: "INPUT_NOT_FOUND" } });
  });

  it.each([
    ["convert", ["--to", "h264"]],
    ["hls", ["-o", "/nowhere/made"]],
    ["repair", []],
    ["inspect", []],
  ])("%s says that an input is missing before anything about the output", async (command, options) => {
    const context = createRecordingContext({ environment: { PATH: process.env["PATH"] } });
    expect(await run([command, "http://127.0.0.1/a.mp4", ...options], context)).toBe(1);
    expect(context.written.error).toBe(
      "reelmill: http://127.0.0.1/a.mp4 does not exist. Files are taken, not addresses: fetch it first. (INPUT_NOT_FOUND)\n",
    );
  });

  it("takes --json behind -- for the name of a file", async () => {
    const context = createRecordingContext();
    expect(await run(["convert", "--to", "frob", "--", "--json"], context)).toBe(2);
    expect(context.written.output).toBe("");
  });

  it("logs wrong usage with LOG_FORMAT=json", async () => {
    const context = createRecordingContext({ environment: { LOG_FORMAT: "json" } });
    expect(await run(["mend"], context)).toBe(2);
    expect(JSON.parse(context.written.error)).toMatchObject({ level: "error", error: { code: "USAGE" } });
  });
});

describe("reportFailure", () => {
  it("says what went wrong with its code", async () => {
    const context = createRecordingContext();
    expect(await reportFailure(new ReelmillError("INPUT_EMPTY", "a.mp4 is empty."), [], context)).toBe(1);
    expect(context.written.error).toBe("reelmill: a.mp4 is empty. (INPUT_EMPTY)\n");
  });

  it("shows the stack of a fault of its own", async () => {
    const context = createRecordingContext();
    expect(await reportFailure(new TypeError("x is not a function"), [], context)).toBe(1);
    expect(context.written.error).toMatch(/INTERNAL\)\nTypeError: x is not a function\n +at /);
  });

  it("leaves standard output as it is where a command has printed its document", async () => {
    const context = createRecordingContext();
    context.writeOutput("{}\n");
    expect(await reportFailure(new ReelmillError("OUTPUT_UNWRITABLE", "No."), ["repair", "--json"], context)).toBe(1);
    expect(context.written.output).toBe("{}\n");
  });

  it("writes a log line with LOG_FORMAT=json", async () => {
    const context = createRecordingContext({ environment: { LOG_FORMAT: "json" } });
    await reportFailure(new ReelmillError("NO_SPACE", "Full."), [], context);
    expect(JSON.parse(context.written.error)).toMatchObject({
      level: "error",
      message: "Full.",
      error: { code: "NO_SPACE" },
    });
  });

  it("has an exit status per kind of failure", () => {
    const statuses = (["USAGE", "CONFIG_INVALID", "ABORTED", "FFMPEG_FAILED"] as const).map((code) =>
      exitCodeOf(new ReelmillError(code, ""), undefined),
    );
    expect(statuses).toEqual([2, 2, 130, 1]);
    expect(exitCodeOf(new ReelmillError("ABORTED", ""), "SIGTERM")).toBe(143);
    expect(exitCodeOf(new ReelmillError("ABORTED", ""), "SIGHUP")).toBe(129);
  });
});

describe("names of settings", () => {
  const settings = ["audio", "toneMap", "audioBitrate", "subtitles"];

  it("are switches in messages, and in reports where they do something", () => {
    expect(nameSwitches("audioBitrate is 9, and audio exclude it.", settings)).toBe(
      "--audio-bitrate is 9, and --audio exclude it.",
    );
    expect(nameSwitchesOf("2 subtitles are lost; toneMap turns them.", settings)).toBe(
      "2 subtitles are lost; --tone-map turns them.",
    );
  });

  it("are switches wherever nothing else is called so, and where parentheses hold them alone", () => {
    expect(nameSwitches("Choose other subtitles, or toneMap off (audio, audioBitrate).", settings)).toBe(
      "Choose other subtitles, or --tone-map off (--audio, --audio-bitrate).",
    );
    const others = 'a/toneMap.mp4, "toneMap" and toneMap.mp4 hold sound (audio of 5.1).';
    expect(nameSwitches(others, settings)).toBe(others);
  });
});

describe("requireUncancelled", () => {
  it("names the file, not the program that was told first", () => {
    const cancelled = new ReelmillError("ABORTED", "ffmpeg was cancelled.");
    expect(() => requireUncancelled(cancelled, "a.mp4", "converted")).toThrow(
      "a.mp4 was not converted: the work was cancelled.",
    );
    expect(() => requireUncancelled(cancelled, "a.mp4", "converted", 2)).toThrow(
      / 2 files behind it were not begun\.$/,
    );
    requireUncancelled(new ReelmillError("NO_SPACE", "Full."), "a.mp4", "converted");
  });
});

describe("reportFileFailure", () => {
  const failure = { path: "a.mp4", code: "INPUT_EMPTY", message: "a.mp4 is empty.", notices: ["Undone."] } as const;

  it("names the file once, and nothing in it steers the terminal", async () => {
    const context = createRecordingContext();
    await reportFileFailure(failure, context);
    await reportFileFailure(
      { ...failure, path: "b\u001b]0;x\u0007.mp4", message: "Not here.\r", notices: [] },
      context,
    );
    expect(context.written.error).toBe(
      [
        "reelmill: a.mp4 is empty. (INPUT_EMPTY)",
        "  Undone.",
        "reelmill: b\\u001b]0;x\\u0007.mp4: Not here.\\u000d (INPUT_EMPTY)",
        "",
      ].join("\n"),
    );
  });

  it("writes a log line with LOG_FORMAT=json", async () => {
    const context = createRecordingContext({ environment: { LOG_FORMAT: "json" } });
    await reportFileFailure(failure, context);
    await reportSkipped("c.mp4", "it is a link", context);
    const lines = context.written.error.trimEnd().split("\n");
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      {
        level: "error",
        file: "a.mp4",
        message: "a.mp4 is empty.",
        error: { code: "INPUT_EMPTY" },
        notices: ["Undone."],
      },
      { level: "warn", file: "c.mp4" },
    ]);
  });
});

describe("formatTable", () => {
  it("shows cells that could steer the terminal escaped", () => {
    expect(formatTable([{ title: "codec" }], [["a\u001b[31m"]])).toContain("a\\u001b[31m\n");
  });

  it("aligns columns and leaves no trailing spaces", () => {
    const columns = [{ title: "track" }, { title: "packets", align: "right" }, { title: "note" }] as const;
    expect(
      formatTable(columns, [
        ["video", "557", ""],
        ["a", "12345678", "lost"],
      ]),
    ).toBe(
      ["track   packets  note", "─────  ────────  ────", "video       557", "a      12345678  lost", ""].join("\n"),
    );
  });
});

describe("createProgressBar", () => {
  it("draws at most ten times a second, within the terminal, and takes itself away", () => {
    const context = createRecordingContext();
    const bar = createProgressBar(context, "repairing");
    bar.update(0, "scan");
    const first = context.written.error;
    context.time.nowMs = 50;
    bar.update(0.4);
    expect(context.written.error).toBe(first);
    context.time.nowMs = 2000;
    bar.update(0.5, "a detail that is far too long for the width of this terminal");
    const drawn = context.written.error.slice(first.length);
    expect(drawn).toContain("50 %, 2.0 s left");
    // Two control sequences of four characters in all come before the text.
    expect(drawn.length).toBeLessThanOrEqual(4 + 59);
    bar.clear();
    expect(context.written.error.endsWith("\r\u001b[K")).toBe(true);
  });

  it("clamps what is out of range", () => {
    const context = createRecordingContext();
    createProgressBar(context, "x").update(1.7);
    expect(context.written.error).toContain("100 %");
  });

  it("writes nothing off a terminal", () => {
    const context = createRecordingContext({ isErrorTerminal: false });
    const bar = createProgressBar(context, "repairing");
    bar.update(0.5);
    bar.clear();
    expect(context.written.error).toBe("");
  });
});
