import { type Command, InvalidArgumentError, Option } from "commander";
import type { CliContext } from "../cli-context.ts";
import { parsePath } from "../path-option.ts";
import type { ConvertCommandOptions } from "./convert.ts";

const EXAMPLES = `
Examples:
  reelmill convert match.mov --to av1                    writes match_av1.webm beside it
  reelmill convert match.mov --to h264 --height 720 -o small.mp4
  reelmill convert match.mov --to hevc --target-size 25MB
  reelmill convert card/*.mp4 --to hevc -o smaller/      many files, into a folder

Exit status: 0 all converted, 1 some or all not, 2 wrong usage.`;

/** Adds `reelmill convert`; `exit` takes the status that it ends with. */
export function addConvertCommand(program: Command, context: CliContext, exit: (exitCode: number) => void): void {
  const convert = program
    .command("convert")
    .description("change the codec of recordings, each picture at its own time")
    .argument("<input...>", "files to convert")
    .addOption(
      new Option("--to <codec>", "h264 and hevc in MP4, vp9 and av1 in WebM")
        .choices(["h264", "hevc", "vp9", "av1"])
        .makeOptionMandatory(),
    )
    .option("-o, --output <path>", "a file for one input, a folder for several (default: beside the input)", parsePath);
  addPictureOptions(convert);
  addSoundOptions(convert);
  convert
    .addOption(
      new Option("--verify <level>", "check number and times of the pictures (quick), and decode everything (full)")
        .choices(["none", "quick", "full"])
        .default("full"),
    )
    .option("--score", "compare samples of the result with the source (VMAF, XPSNR or SSIM)", false)
    .option("--json", "print the report on standard output, as JSON", false)
    .addHelpText("after", EXAMPLES)
    .action(async (inputs: readonly string[], options: ConvertCommandOptions) => {
      const { runConvertCommand } = await import("./convert.ts");
      exit(await runConvertCommand(inputs, options, context));
    });
}

function addPictureOptions(convert: Command): void {
  convert
    .option(
      "--quality <number>",
      "constant quality (CRF), less is better (default: 23, hevc 28, vp9 and av1 30)",
      parseNumber,
    )
    .option(
      "--target-quality <score>",
      "search the quality for this score on samples: SSIM, such as 0.98, or VMAF, such as 95",
      parseNumber,
    )
    .option("--target-size <size>", "search the quality for a file of at most this size, such as 700MB")
    .addOption(
      new Option("--speed <speed>", "fast: nearly the same quality in a fraction of the time")
        .choices(["standard", "fast"])
        .default("standard"),
    )
    .option("--preset <name>", "the encoder's own preset, in place of what --speed chooses")
    .option("--width <pixels>", "widest; the shape stays", parseNumber)
    .option("--height <pixels>", "highest; the shape stays", parseNumber)
    .option("--upscale", "make smaller pictures as large as --width and --height say", false)
    .option("--frame-rate <rate>", "pictures per second, such as 25 or 30000/1001 (default: as they are)")
    .addOption(new Option("--bit-depth <bits>", "bits per sample").choices(["source", "8", "10"]).default("source"))
    .addOption(
      new Option("--hardware <family>", "encoder on a graphics device; software where it fails")
        .choices(["off", "auto", "nvenc", "vaapi", "qsv", "videotoolbox"])
        .default("off"),
    )
    .addOption(
      new Option("--deinterlace <when>", "auto: where the file says it is interlaced")
        .choices(["auto", "off", "on"])
        .default("auto"),
    )
    .option("--tone-map", "turn high dynamic range into standard range", false)
    .option("--reencode", "encode pictures and sound that fit already", false);
}

function addSoundOptions(convert: Command): void {
  convert
    .addOption(
      new Option("--audio <what>", "auto: AAC in MP4, Opus in WebM, copied where it fits")
        .choices(["auto", "copy", "none"])
        .default("auto"),
    )
    .option("--audio-bitrate <kbit>", "kbit/s of each sound track that is encoded (default: 128)", parseNumber)
    .option("--audio-tracks <list>", "sound tracks to take, counted from 0, such as 0,2 (default: all)", parseList)
    .addOption(
      new Option("--subtitles <what>", "keep text subtitles, drop them, or burn the first into the picture")
        .choices(["keep", "drop", "burn"])
        .default("keep"),
    );
}

function parseNumber(text: string): number {
  const value = text.trim() === "" ? Number.NaN : Number(text);
  if (!Number.isFinite(value)) throw new InvalidArgumentError("It must be a number.");
  return value;
}

function parseList(text: string): readonly number[] {
  return text.split(",").map(parseNumber);
}
