import { statSync } from "node:fs";
import { availableParallelism } from "node:os";
import { basename } from "node:path";
import { describeFailure, type Failure } from "../../../base/describe-failure.ts";
import { ReelmillError } from "../../../base/errors.ts";
import { inputIsDirectory } from "../../../base/file-errors.ts";
import { chooseOutputs, extensionOf, isFolderOutput } from "../../../base/output-path.ts";
import { printableJson, printableLine } from "../../../base/printable.ts";
import { formatBytes, formatCount, formatElapsedMs, formatMediaSeconds } from "../../../base/units.ts";
import {
  CONVERT_SETTINGS,
  type ConversionReport,
  type ConvertSettings,
  convertFile,
  describeSearch,
  extensionFor,
} from "../../../pipelines/convert/index.ts";
import type { CliContext } from "../cli-context.ts";
import { EXIT_FAILURE, EXIT_OK } from "../exit-codes.ts";
import { reportFileFailure, requireUncancelled } from "../failure.ts";
import { createProgressBar } from "../progress-bar.ts";
import { describeMisuse, nameSwitches, nameSwitchesOf } from "../switches.ts";

const SETTINGS = Object.keys(CONVERT_SETTINGS.shape).filter((name) => name !== "to");

/** `reelmill convert` as the command line gives it: the settings by their names, and where to. */
export type ConvertCommandOptions = Readonly<Record<string, unknown>> & {
  readonly output?: string;
  readonly json: boolean;
};

interface Outcome {
  readonly input: string;
  readonly output: string | null;
  readonly report: ConversionReport | null;
  readonly error?: { readonly code: string; readonly message: string };
}

/**
 * Converts files one after the other and prints what became of each. Gives 0 when all were converted, else 1. Throws USAGE, INPUT_IS_DIRECTORY and ABORTED.
 */
export async function runConvertCommand(
  inputs: readonly string[],
  options: ConvertCommandOptions,
  context: CliContext,
): Promise<number> {
  const { output, json, ...given } = options;
  const settings = parseSettings(given);
  const named = inputs.map((path) => ({ path, relativePath: basename(path) }));
  const naming = { suffix: `_${settings.to}`, extension: extensionFor(settings.to), deed: "converted" };
  const outputs = chooseOutputs(named, output, naming);
  const makesFolder = output !== undefined && isFolderOutput(output, inputs.length);
  if (output !== undefined) requireOutputName(output, inputs, settings.to);
  const outcomes: Outcome[] = [];
  for (const [index, input] of inputs.entries()) {
    const target = outputs[index] as string;
    const label = inputs.length === 1 ? basename(input) : `[${index + 1}/${inputs.length}] ${basename(input)}`;
    const notBegun = inputs.length - index - 1;
    outcomes.push(await convertOne({ input, target, label, makesFolder, notBegun }, settings, json, context));
  }
  const failed = outcomes.filter(({ error }) => error !== undefined).length;
  if (json) {
    const summary = { converted: outcomes.length - failed, failed };
    context.writeOutput(`${printableJson({ schema: 1, files: outcomes, summary })}\n`);
  } else if (outcomes.length > 1) {
    context.writeOutput(
      `${formatCount(outcomes.length, "file")}: ${outcomes.length - failed} converted, ${failed} not\n`,
    );
  }
  return failed === 0 ? EXIT_OK : EXIT_FAILURE;
}

/**
 * Throws USAGE where one file is not named as what is made, or several are to become one, and INPUT_IS_DIRECTORY where a folder among the inputs is
 * why: whoever gives one has no name of a file in mind.
 */
function requireOutputName(output: string, inputs: readonly string[], to: ConvertSettings["to"]): void {
  if (isFolderOutput(output, 1)) return;
  const count = inputs.length;
  const extension = extensionFor(to);
  const isNamedSo = extensionOf(output) === extension;
  const folder = (count === 1) !== isNamedSo ? inputs.find(isFolder) : undefined;
  if (folder !== undefined) throw inputIsDirectory(folder);
  if (count === 1 && !isNamedSo) {
    throw new ReelmillError("USAGE", `--output ${output} must end in ${extension}, which is what ${to} becomes.`);
  }
  if (count > 1 && isNamedSo) {
    const message = `--output ${output} names a file, but ${count} recordings are to be converted: name a folder.`;
    throw new ReelmillError("USAGE", message);
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

function parseSettings(given: Readonly<Record<string, unknown>>): ConvertSettings {
  const parsed = CONVERT_SETTINGS.safeParse(given);
  if (parsed.success) return parsed.data;
  throw describeMisuse(parsed.error, given, SETTINGS);
}

/** Settings are named as a job's params have them; here they are switches. */
function withFlags({ code, message }: Failure): Failure {
  const hasNames = ["PARAMS_INVALID", "FILTER_MISSING", "TARGET_UNREACHABLE"].includes(code);
  return { code, message: hasNames ? nameSwitches(message, SETTINGS) : message };
}

interface OneFile {
  readonly input: string;
  readonly target: string;
  readonly label: string;
  readonly makesFolder: boolean;
  /** How many files follow it. */
  readonly notBegun: number;
}

async function convertOne(
  { input, target, label, makesFolder, notBegun }: OneFile,
  settings: ConvertSettings,
  isJson: boolean,
  context: CliContext,
): Promise<Outcome> {
  const bar = createProgressBar(context, label);
  const startMs = context.clock.monotonicMs();
  let said: string | undefined;
  try {
    const { environment, clock, signal } = context;
    const cores = availableParallelism();
    const report = await convertFile({
      input,
      output: target,
      settings,
      environment,
      ...{ makesFolder, cores, clock, signal },
      onProgress: bar.update,
      onSearched: (search) => {
        if (isJson) return;
        said = describeSearch(search);
        bar.clear();
        context.writeOutput(`${printableLine(`${input}: ${said}`)}\n`);
      },
    });
    bar.clear();
    if (!isJson) {
      const findings = report.findings.filter((finding) => finding !== said);
      const elapsedMs = context.clock.monotonicMs() - startMs;
      context.writeOutput(formatReport(input, target, { ...report, findings }, elapsedMs));
    }
    return { input, output: target, report };
  } catch (error) {
    bar.clear();
    requireUncancelled(error, input, "converted", notBegun);
    const failure = withFlags(describeFailure(error));
    await reportFileFailure({ path: input, notices: [], ...failure }, context);
    return { input, output: null, report: null, error: failure };
  }
}

/** What became of one file, for people. */
function formatReport(input: string, output: string, report: ConversionReport, elapsedMs: number): string {
  const { inputBytes, outputBytes, durationSeconds, pictures, encoder, checks, findings } = report;
  const length = durationSeconds === null ? "" : `, ${formatMediaSeconds(durationSeconds)}`;
  const speed = durationSeconds === null ? "" : `, ${formatSpeed((1000 * durationSeconds) / elapsedMs)} x real time`;
  const lines = [
    `${input}: converted → ${output} (${formatElapsedMs(elapsedMs)}${speed})`,
    `  ${encoder}${pictures === null ? "" : `, ${formatCount(pictures, "picture")}`}${length}`,
    `  ${formatBytes(inputBytes)} → ${formatBytes(outputBytes)} (${Math.round((100 * outputBytes) / inputBytes)} %)`,
    ...checks.map(({ name, status, detail }) => `  ${name} ${status}: ${detail}`),
    ...findings.map((finding) => `  ${nameSwitchesOf(finding, SETTINGS)}`),
  ];
  return `${lines.map(printableLine).join("\n")}\n`;
}

function formatSpeed(times: number): string {
  return times < 10 ? times.toPrecision(2) : times.toFixed(0);
}
