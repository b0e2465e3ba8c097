import { type Command, InvalidArgumentError } from "commander";

/** Gives a command the options of all that talk to a server. */
export function withServer(command: Command): Command {
  return command
    .option(
      "--server <url>",
      "the server to talk to (default: REELMILL_SERVER, else what `use` noted, else this machine at REELMILL_PORT)",
    )
    .option("--api-key-file <path>", "file that holds the API key (default: the key in REELMILL_API_KEY)")
    .option("--json", "print JSON on standard output", false);
}

/** Collects the values of an option that may be repeated. */
export function collect(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}

/** Reads a whole number as an option's value. */
export function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = /^-?\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= min && value <= max) return value;
    throw new InvalidArgumentError(`It must be a whole number from ${min} to ${max}.`);
  };
}
