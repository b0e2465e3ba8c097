import type { Command } from "commander";
import type { CliContext } from "../cli-context.ts";
import type { HlsCheckOptions } from "./check.ts";

/** Adds `reelmill hls` with its commands; `exit` takes the status that each ends with. */
export function addHlsCommands(program: Command, context: CliContext, exit: (exitCode: number) => void): void {
  const hls = program.command("hls").description("work with HLS presentations");
  hls
    .command("check")
    .description(
      "check an HLS presentation against RFC 8216bis and Apple's authoring specification; nothing is fetched",
    )
    .argument("<playlist>", "its multivariant playlist, or a single media playlist")
    .option("--json", "print the report on standard output, as JSON", false)
    .addHelpText("after", "\nExit status: 0 no must failed, 1 one did, 2 wrong usage.")
    .action(async (playlist: string, options: HlsCheckOptions) => {
      const { runHlsCheckCommand } = await import("./check.ts");
      exit(await runHlsCheckCommand(playlist, options, context));
    });
}
