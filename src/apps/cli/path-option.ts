import { InvalidArgumentError } from "commander";

/** Reads a path as an option's value. What a shell makes of a variable that is not set would name the folder that the command is started in. */
export function parsePath(text: string): string {
  if (text === "") throw new InvalidArgumentError("It is empty, but must be a path.");
  return text;
}
