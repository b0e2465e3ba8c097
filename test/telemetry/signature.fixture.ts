import { createHash, createHmac } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";

/*
 * Signature Version 4 (AWS Identity and Access Management User Guide, "Create a signed AWS API request"), reckoned without the library that signs.
 */

/** A request as it came. */
export interface ReceivedRequest {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  /** Names in small letters. */
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** Whose requests are taken, and where. */
export interface Taker {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Of temporary credentials; undefined: they are lasting ones. */
  readonly sessionToken: string | undefined;
  readonly region: string;
  readonly service: string;
}

const AUTHORIZATION =
  /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/([^/]+)\/aws4_request, SignedHeaders=([^,]+), Signature=([0-9a-f]{64})$/;
const MAX_SKEW_MS = 5 * 60_000;

/** What is wrong with the proof that a request carries; undefined: nothing. */
export function faultOfSignature(request: ReceivedRequest, taker: Taker, nowMs: number): string | undefined {
  const { headers, body } = request;
  const [, key, day, region, service, names = "", signature] = AUTHORIZATION.exec(headers.authorization ?? "") ?? [];
  if (signature === undefined) return "no signature";
  if (key !== taker.accessKeyId) return "unknown key";
  if (region !== taker.region || service !== taker.service) return `signed for ${service} in ${region}`;
  if (headers["x-amz-security-token"] !== taker.sessionToken) return "wrong session token";
  const date = String(headers["x-amz-date"]);
  if (Math.abs(timeOf(date) - nowMs) > MAX_SKEW_MS || !date.startsWith(`${day}T`)) return `signed at ${date}`;
  const signed = names.split(";");
  const needed = ["host", "content-type", ...Object.keys(headers).filter((name) => name.startsWith("x-"))];
  const unsigned = needed.filter((name) => !signed.includes(name));
  if (unsigned.length > 0) return `not signed: ${unsigned.join(", ")}`;
  const told = headers["x-amz-content-sha256"];
  if (told !== undefined && told !== hash(body)) return "another body";
  return signature === signatureOf(request, signed, taker) ? undefined : "wrong signature";
}

/** The signature that the request should have, over the headers named, in hexadecimal digits. */
export function signatureOf(request: ReceivedRequest, signed: readonly string[], taker: Taker): string {
  const date = String(request.headers["x-amz-date"]);
  const scope = [date.slice(0, 8), taker.region, taker.service, "aws4_request"];
  const toSign = ["AWS4-HMAC-SHA256", date, scope.join("/"), hash(canonicalRequest(request, signed))].join("\n");
  const key = scope.reduce<string | Buffer>((each, part) => hmac(each, part), `AWS4${taker.secretAccessKey}`);
  return hmac(key, toSign).toString("hex");
}

function canonicalRequest({ method, target, headers, body }: ReceivedRequest, signed: readonly string[]): string {
  const [path = "", query = ""] = target.split("?");
  // Encoded once more than it is sent, as all services but S3 want it.
  const uri = path.split("/").map(encode).join("/");
  const pairs = [...new URLSearchParams(query)].map(([name, value]) => `${encode(name)}=${encode(value)}`);
  const lines = signed.map((name) => `${name}:${String(headers[name]).trim().replaceAll(/ +/g, " ")}\n`);
  return [method, uri, pairs.toSorted().join("&"), lines.join(""), signed.join(";"), hash(body)].join("\n");
}

/** As RFC 3986 has it: all but letters, digits and `-._~`. */
function encode(text: string): string {
  return encodeURIComponent(text).replaceAll(/[!'()*]/g, (each) => `%${each.charCodeAt(0).toString(16).toUpperCase()}`);
}

function timeOf(date: string): number {
  return Date.parse(date.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, "$1-$2-$3T$4:$5:$6Z"));
}

function hash(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}
