import { ReelmillError } from "../../base/errors.ts";
import { printableLine } from "../../base/printable.ts";
import { systemCodeOf } from "../../base/system-code.ts";

/** Where the services are. Credentials come by the SDK's own chain alone: environment, profile, role of the container or machine. */
export interface AwsPlace {
  /** Such as `eu-central-1`. */
  readonly region: string;
  /** Of another service that speaks the protocols, such as `http://127.0.0.1:9000`; undefined for AWS itself. */
  readonly endpoint: string | undefined;
}

/** A request that got no connection, or then no byte for so long, is given up, and tried again by the SDK. */
const CONNECTION_TIMEOUT_MS = 5000;
const SILENCE_TIMEOUT_MS = 60_000;
const MAX_ATTEMPTS = 3;

/**
 * What every client is made with. The endpoint is always said here: one that the environment sets would be heeded for most requests
 * but not for those to a queue's URL, which would then go to the real AWS.
 */
export function clientSettings({ region, endpoint }: Partial<AwsPlace>) {
  return {
    // Left out, the SDK looks for one: environment, profile.
    ...(region === undefined ? {} : { region }),
    ...(endpoint === undefined ? {} : { endpoint }),
    maxAttempts: MAX_ATTEMPTS,
    requestHandler: { connectionTimeout: CONNECTION_TIMEOUT_MS, socketTimeout: SILENCE_TIMEOUT_MS },
  };
}

/** Error names that a wait can mend, by whichever service. */
const PASSING =
  /Throttl|TooManyRequests|SlowDown|RequestLimit|ProvisionedThroughput|Timeout|InProgress|NoSuchUpload|InternalError/i;
const FULL = /EntityTooLarge|QuotaExceeded|StorageFull/i;
const ABSENT = new Set(["NoSuchKey", "NotFound"]);

/** What a request is about, as messages name it: something by itself, a bucket or table, or what lies in one. */
export type Subject = string | BucketSubject | TableSubject;

/** A bucket, or an object in it. */
export interface BucketSubject {
  readonly bucket: string;
  readonly key?: string;
}

/** A table, or a partition of it. */
export interface TableSubject {
  readonly table: string;
  readonly key?: string;
}

/** Sends a request and throws the store's errors for the service's: OBJECT_NOT_FOUND, OBJECT_KEY_INVALID, NO_SPACE, STORE_REFUSED, STORE_UNAVAILABLE. */
export async function asking<T>(subject: Subject, send: () => Promise<T>): Promise<T> {
  try {
    return await send();
  } catch (error) {
    throw translateAwsError(subject, error);
  }
}

/** The store's error for one of the SDK's; what the SDK did not raise is given back unchanged. */
export function translateAwsError(subject: Subject, error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof ReelmillError) return error;
  const because = `${error.name}: ${printableLine(error.message.slice(0, 300))}`;
  const give = (code: "OBJECT_NOT_FOUND" | "OBJECT_KEY_INVALID" | "NO_SPACE" | "STORE_REFUSED" | "STORE_UNAVAILABLE") =>
    new ReelmillError(code, `The request ${nameSubject(subject)} failed (${because}).`, { cause: error });
  const status = statusOf(error);
  if (ABSENT.has(error.name)) {
    return new ReelmillError("OBJECT_NOT_FOUND", `There is no ${nameAbsent(subject)}.`, { cause: error });
  }
  if (error.name === "KeyTooLongError") return give("OBJECT_KEY_INVALID");
  if (FULL.test(error.name) || status === 507) return give("NO_SPACE");
  if (PASSING.test(error.name) || systemCodeOf(error) !== undefined) return give("STORE_UNAVAILABLE");
  if (status === undefined) return error.name === "CredentialsProviderError" ? give("STORE_REFUSED") : error;
  // What was to be the same is another one meanwhile: the next try begins with that.
  if (status === 412) return give("STORE_UNAVAILABLE");
  // What was cut short has the status of its beginning.
  return status >= 500 || status === 429 || status < 400 ? give("STORE_UNAVAILABLE") : give("STORE_REFUSED");
}

function nameSubject(subject: Subject): string {
  if (typeof subject === "string") return `about ${quote(subject)}`;
  const place = "bucket" in subject ? `bucket ${subject.bucket}` : `table ${subject.table}`;
  return `to ${printableLine(place)}${subject.key ? ` about ${quote(subject.key)}` : ""}`;
}

function nameAbsent(subject: Subject): string {
  if (typeof subject !== "string" && "bucket" in subject && !subject.key) {
    return `bucket ${printableLine(subject.bucket)}`;
  }
  return `object ${quote(typeof subject === "string" ? subject : (subject.key ?? ""))}`;
}

/** Longer ones are known by their end. */
function quote(text: string): string {
  return `"${printableLine(text.length > 200 ? `…${text.slice(-200)}` : text)}"`;
}

/** The HTTP status that the service answered with; undefined where it did not, or the error is none of the SDK's. */
export function statusOf(error: unknown): number | undefined {
  if (!(error instanceof Error) || !("$metadata" in error)) return undefined;
  const { $metadata } = error;
  if (typeof $metadata !== "object" || $metadata === null || !("httpStatusCode" in $metadata)) return undefined;
  return typeof $metadata.httpStatusCode === "number" ? $metadata.httpStatusCode : undefined;
}
