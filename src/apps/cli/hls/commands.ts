import { type Command, Option } from "commander";
import { ReelmillError } from "../../../base/errors.ts";
import type { CliContext } from "../cli-context.ts";
import { parsePath } from "../path-option.ts";
import type { HlsCheckOptions } from "./check.ts";
import type { HlsPackageOptions } from "./package.ts";

const EXAMPLES = `
Examples:
  reelmill hls match.mov -o match                        a package with Apple's ladder, up to the source's size
  reelmill hls match.mov -o match --ladder ladder.json  rungs of your own: {"rungs": [{"height": 720, "kbps": 2500}]}
  reelmill hls match.mov -o match --codecs h264,hevc     HEVC rungs besides those of H.264
  reelmill hls check match/main.m3u8                     what the rules of HLS say of it

Exit status: 0 made, 1 not, 2 wrong usage.`;

/** Adds `reelmill hls`, which makes packages, with the commands below it; `exit` takes the status that each ends with. */
export function addHlsCommands(program: Command, context: CliContext, exit: (exitCode: number) => void): void {
  const hls = program
    .command("hls")
    .description("make an HLS package of a recording, or check one")
    .argument("[input]", "the recording")
    .option("-o, --output <folder>", "the package; nothing may lie there yet", parsePath)
    .option("--ladder <file>", "rungs of your own, as JSON (default: Apple's ladders)");
  addPackageOptions(hls);
  hls
    .option("--json", "print the report on standard output, as JSON", false)
    .addHelpText("after", EXAMPLES)
    .action(async (input: string | undefined, options: Partial<HlsPackageOptions>) => {
      const { output } = options;
      if (input === undefined || output === undefined) {
        const missing = input === undefined ? "the recording to package" : "-o with the folder of the package";
        throw new ReelmillError("USAGE", `hls lacks ${missing}; reelmill hls --help says more.`);
      }
      const { runHlsPackageCommand } = await import("./package.ts");
      exit(await runHlsPackageCommand(input, { json: false, ...options, output }, context));
    });
  addCheckCommand(hls, context, exit);
}

function addPackageOptions(hls: Command): void {
  hls
    .option("--codecs <list>", "h264, hevc, av1: one or several, comma-separated, each with rungs of its own", "h264")
    .addOption(
      new Option(
        "--segments <how>",
        "fragmented MP4 as byte ranges of one file for each rung or a file for each segment, or files of MPEG-TS",
      )
        .choices(["single-file", "separate", "ts"])
        .default("single-file"),
    )
    .option("--encrypt-key <file>", "encrypt the media with the 16 bytes in the file")
    .option("--encrypt-key-uri <uri>", "where players fetch that key; stands in the playlists")
    .addOption(
      new Option(
        "--encrypt-method <method>",
        "whole segments, or the pictures and the sound within them (default with a key: aes-128)",
      ).choices(["aes-128", "sample-aes"]),
    )
    .addOption(
      new Option("--speed <speed>", "fast: nearly the same quality in a fraction of the time")
        .choices(["standard", "fast"])
        .default("standard"),
    )
    .option("--preset <name>", "the encoder's own preset, in place of what --speed chooses")
    .addOption(
      new Option("--hardware <family>", "device that encodes the H.264 rungs (auto: NVENC); software where it fails")
        .choices(["auto", "off", "nvenc", "vaapi", "qsv", "videotoolbox"])
        .default("auto"),
    )
    .addOption(
      new Option("--audio <what>", "every sound track as AAC, or none").choices(["auto", "none"]).default("auto"),
    )
    .addOption(
      new Option("--subtitles <what>", "text subtitles as WebVTT, or none").choices(["keep", "drop"]).default("keep"),
    )
    .addOption(
      new Option("--hdr <what>", "auto: HEVC rungs keep high dynamic range where there are H.264 rungs besides")
        .choices(["auto", "off"])
        .default("auto"),
    )
    .addOption(
      new Option("--deinterlace <when>", "auto: where the file says it is interlaced")
        .choices(["auto", "off", "on"])
        .default("auto"),
    )
    .option("--preview", "a short clip without sound that repeats, as MP4 and WebP", false)
    .option("--no-thumbnails", "leave out the poster and the small pictures to find a place by");
}

function addCheckCommand(hls: Command, context: CliContext, exit: (exitCode: number) => void): void {
  hls
    .command("check")
    .description(
      "check an HLS presentation against RFC 8216bis and Apple's authoring specification; nothing is fetched",
    )
    .argument("<playlist>", "its multivariant playlist, or a single media playlist")
    .option("--key <file>", "the 16 bytes that encrypted segments are read with; without it they are not checked")
    .option("--json", "print the report on standard output, as JSON", false)
    .addHelpText("after", "\nExit status: 0 no must failed, 1 one did, 2 wrong usage.")
    .action(async (playlist: string, _options: HlsCheckOptions, command: Command) => {
      const { runHlsCheckCommand } = await import("./check.ts");
      refusePackageOptions(hls);
      // `hls` has --json, too, and takes it wherever it stands.
      const { json, key } = command.optsWithGlobals<HlsCheckOptions>();
      exit(await runHlsCheckCommand(playlist, { json, key }, context));
    });
}

/** `hls` takes its own options wherever they stand, also behind a command below it, where they would mean nothing. */
function refusePackageOptions(hls: Command): void {
  const given = hls.options.find(
    (option) => option.long !== "--json" && hls.getOptionValueSource(option.attributeName()) === "cli",
  );
  if (given === undefined) return;
  throw new ReelmillError(
    "USAGE",
    `${given.long} is of \`reelmill hls\`, which makes packages; hls check does not take it.`,
  );
}
