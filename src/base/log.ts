import { type DestinationStream, type Logger as PinoLogger, pino } from "pino";
import { ReelmillError } from "./errors.ts";
import { formatField, printableLine, printableText } from "./printable.ts";

/**
 * What a log line may carry besides its message. Names are those of the log format (snake case). An `error` is written as
 * its code and message, and with its stack where it is a fault of Reelmill or of unknown kind.
 */
export interface LogFields {
  readonly job_id?: string;
  readonly file?: string;
  readonly error?: unknown;
  readonly [name: string]: unknown;
}

/** Writes log lines; handed in, never global. */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** A logger whose every line also carries the fields given, such as `job_id`. */
  child(fields: LogFields): Logger;
}

/** How a logger writes. */
export interface LoggerOptions {
  /** One JSON object per line, or text for people. */
  readonly format: "json" | "text";
  /** The least severe level that is written. */
  readonly level: "debug" | "info" | "warn" | "error";
  /** Takes each line, ending in a line feed. */
  readonly write: (line: string) => void;
  /** Takes each line as JSON besides, whatever the format. */
  readonly writeJson?: ((line: string) => void) | undefined;
}

type Fields = Readonly<Record<string, unknown>>;

function serializeError(error: unknown): Fields {
  if (!(error instanceof Error)) return { message: String(error) };
  const code = error instanceof ReelmillError ? { code: error.code, retryable: error.retryable } : {};
  const cause = error.cause === undefined ? {} : { cause: serializeError(error.cause) };
  const whole = { ...code, message: error.message, stack: error.stack, ...cause };
  return isExpected(error) ? withoutStack(whole) : whole;
}

/** A failure that has a code is what may happen; where in the program it was thrown tells its reader nothing. */
function isExpected(error: Error): boolean {
  return error instanceof ReelmillError && error.code !== "INTERNAL";
}

function withoutStack({ stack: _stack, cause, ...rest }: Fields): Fields {
  return cause === undefined ? rest : { ...rest, cause: withoutStack(cause as Fields) };
}

/** As `serializeError` leaves it. */
interface Failure {
  readonly code?: string;
  readonly message?: string;
  readonly stack?: string;
}

/** Indented, so that no line of a message from outside passes for one of the log. */
function formatFailure({ code, message = "", stack }: Failure): string {
  return printableText(stack ?? (code === undefined ? message : `${message} (${code})`))
    .split("\n")
    .map((line) => `\n  ${line}`)
    .join("");
}

/** Rewrites one JSON line as text: time of day, level, message, then fields as `name=value`; for terminals, so nothing steers them. */
function formatText(jsonLine: string): string {
  const { timestamp, level, message, error, ...fields } = JSON.parse(jsonLine) as Record<string, unknown>;
  const pairs = Object.entries(fields).map(([name, value]) => ` ${name}=${formatField(value)}`);
  const head = `${String(timestamp).slice(11, 23)} ${String(level).toUpperCase().padEnd(5)} ${String(message)}`;
  const detail = error === undefined ? "" : formatFailure(error as Failure);
  return `${printableLine(head + pairs.join(""))}${detail}\n`;
}

function wrap(target: PinoLogger): Logger {
  return {
    debug: (message, fields) => target.debug(fields ?? {}, message),
    info: (message, fields) => target.info(fields ?? {}, message),
    warn: (message, fields) => target.warn(fields ?? {}, message),
    error: (message, fields) => target.error(fields ?? {}, message),
    child: (fields) => wrap(target.child(fields)),
  };
}

/** A logger whose lines have `timestamp` (RFC 3339, UTC), `level`, `message`, then the fields. Lines are written at once. */
export function createLogger(options: LoggerOptions): Logger {
  const { write, writeJson } = options;
  const destination: DestinationStream = {
    write: (line) => {
      writeJson?.(line);
      write(options.format === "json" ? line : formatText(line));
    },
  };
  const target = pino(
    {
      level: options.level,
      messageKey: "message",
      errorKey: "error",
      base: null,
      timestamp: () => `,"timestamp":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { error: serializeError },
    },
    destination,
  );
  return wrap(target);
}
