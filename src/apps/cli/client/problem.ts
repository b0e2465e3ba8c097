import { ERROR_CODES, type ErrorCode, ReelmillError } from "../../../base/errors.ts";

/** What a refusal is called whose code this version does not know, or that came from something before the server. */
const CODES_BY_STATUS: Readonly<Record<number, ErrorCode>> = {
  401: "UNAUTHORIZED",
  403: "UNAUTHORIZED",
  404: "NOT_FOUND",
  413: "BODY_TOO_LARGE",
  429: "RATE_LIMITED",
};

const MAX_SHOWN_CHARACTERS = 500;

/** An answer that refuses something. */
interface Refusal {
  /** 400 or more. */
  readonly status: number;
  /** A problem document or anything else. */
  readonly body: string;
  /** Whether an API key was sent along. */
  readonly hadKey: boolean;
}

/** The failure that an answer with a status of 400 or more tells of. The status is among its details. */
export function readProblem({ status, body, hadKey }: Refusal): ReelmillError {
  const problem = parseObject(body);
  const { code, detail, title } = problem;
  const words = [detail, title].find((value) => typeof value === "string" && value !== "");
  const fallback = CODES_BY_STATUS[status] ?? "SERVER_ANSWER_INVALID";
  const details = { status };
  // How a header is called is no help on the command line.
  if (code === "UNAUTHORIZED") return new ReelmillError(code, hintFor(code, status, hadKey), { details });
  // A fault of the server's is none of this program.
  if (isErrorCode(code) && code !== "INTERNAL") {
    return new ReelmillError(code, typeof words === "string" ? words : hintFor(code, status, hadKey), { details });
  }
  const known = typeof code === "string" ? ` ${code}` : "";
  const told =
    typeof words === "string" ? `: ${words.slice(0, MAX_SHOWN_CHARACTERS)}` : `. ${hintFor(fallback, status, hadKey)}`;
  return new ReelmillError(fallback, `The server answered with status ${status}${known}${told}`, { details });
}

function hintFor(code: ErrorCode, status: number, hadKey: boolean): string {
  if (code === "UNAUTHORIZED" && hadKey) {
    return "The server does not take this API key; check REELMILL_API_KEY, or the file that --api-key-file names.";
  }
  if (code === "UNAUTHORIZED") return "The server asks for an API key; set REELMILL_API_KEY or give --api-key-file.";
  return status >= 500 ? "Look at the server's log." : ERROR_CODES[code].meaning;
}

function isErrorCode(code: unknown): code is ErrorCode {
  return typeof code === "string" && Object.hasOwn(ERROR_CODES, code);
}

function parseObject(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return value !== null && typeof value === "object" ? (value as Readonly<Record<string, unknown>>) : {};
  } catch {
    // A page of a proxy, say; the status alone tells then.
    return {};
  }
}

/** The HTTP status that a failure came with, where it came from an answer. */
export function statusOf({ details }: ReelmillError): number | undefined {
  if (details === undefined || details === null || typeof details !== "object") return undefined;
  const status: unknown = Reflect.get(details, "status");
  return typeof status === "number" ? status : undefined;
}
