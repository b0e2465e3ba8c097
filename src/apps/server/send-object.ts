import { Readable } from "node:stream";
import type { FastifyReply, FastifyRequest } from "fastify";
import { ReelmillError } from "../../base/errors.ts";
import type { ShownAs } from "../../jobs/object-lender.ts";
import type { ByteRange, ObjectInfo, ObjectStore } from "../../jobs/object-store.ts";
import { parseRange } from "./byte-range.ts";
import { OBJECT_POLICY } from "./headers.ts";
import { dispositionOf, mediaTypeOf } from "./media-type.ts";
import { requireLength } from "./streams.ts";

/** A player that is paused takes nothing for a while; one that comes back asks for the rest. */
const READ_SILENCE_MS = 10 * 60_000;

/** Where objects come from, and how they are given out. */
export interface ObjectOutlet {
  readonly objects: ObjectStore;
  /** Where more bytes than that are asked for, gives the object's address in the store, to be read by without a key. */
  readonly lending?:
    | { readonly overBytes: number; readonly lend: (key: string, shownAs: ShownAs) => Promise<string> }
    | undefined;
}

/**
 * Answers a GET or HEAD with an object, or the range of it that the request asks for; where that is too much for one answer, with a redirect into the
 * store. Throws OBJECT_NOT_FOUND, RANGE_UNSATISFIABLE.
 */
export async function sendObject(
  { objects, lending }: ObjectOutlet,
  key: string,
  { request, reply }: { readonly request: FastifyRequest; readonly reply: FastifyReply },
  isDownload: boolean,
): Promise<FastifyReply> {
  const info = await requireObject(objects, key);
  const version = versionOf(info);
  const disposition = dispositionOf(key, isDownload ? "attachment" : "inline");
  const headers = {
    "accept-ranges": "bytes",
    etag: version.tag,
    "last-modified": version.modified,
    "cache-control": "private, no-cache",
    "content-security-policy": OBJECT_POLICY,
    "content-disposition": disposition,
  };
  if (isKnown(request.headers, version)) return reply.headers(headers).code(304).send();
  const mediaType = mediaTypeOf(key);
  const { part, isWhole } = choosePart(info.bytes, version, request, reply);
  if (request.method === "GET" && lending !== undefined && part.end - part.start > lending.overBytes) {
    const location = await lending.lend(key, { mediaType, disposition });
    return reply.code(307).headers({ "cache-control": "no-store", location }).send();
  }
  reply
    .headers(headers)
    .type(mediaType)
    .header("content-length", part.end - part.start);
  if (!isWhole) reply.code(206).header("content-range", `bytes ${part.start}-${part.end - 1}/${info.bytes}`);
  if (request.method === "HEAD") return reply.send();
  reply.raw.setTimeout(READ_SILENCE_MS, () => reply.raw.destroy());
  const bytes = requireLength(await objects.read(key, part), part.end - part.start);
  return reply.send(Readable.from(bytes, { objectMode: false }));
}

/** What the store knows of an object. Throws OBJECT_NOT_FOUND. */
export async function requireObject(objects: ObjectStore, key: string): Promise<ObjectInfo> {
  const info = await objects.head(key);
  if (info === undefined) throw new ReelmillError("OBJECT_NOT_FOUND", `There is no object "${key}".`);
  return info;
}

/** What tells an object from the one that had its key before. */
interface Version {
  readonly tag: string;
  /** As Last-Modified has it. */
  readonly modified: string;
}

/** Objects are replaced whole: one of the same length and time is the same. */
function versionOf({ bytes, modifiedAtMs }: ObjectInfo): Version {
  return {
    tag: `"${bytes.toString(36)}-${Math.round(modifiedAtMs).toString(36)}"`,
    modified: new Date(modifiedAtMs).toUTCString(),
  };
}

/** The bytes that a request asks for. Throws RANGE_UNSATISFIABLE. */
function choosePart(
  bytes: number,
  { tag, modified }: Version,
  { method, headers }: FastifyRequest,
  reply: FastifyReply,
): { readonly part: ByteRange; readonly isWhole: boolean } {
  const condition = headers["if-range"];
  const isSame = condition === undefined || condition === tag || condition === modified;
  const wanted = parseRange(method === "GET" && isSame ? headers.range : undefined, bytes);
  if (wanted.kind === "unsatisfiable") {
    reply.header("content-range", `bytes */${bytes}`);
    throw new ReelmillError("RANGE_UNSATISFIABLE", `The object has ${bytes} bytes; the range begins behind them.`);
  }
  if (wanted.kind === "whole") return { part: { start: 0, end: bytes }, isWhole: true };
  return { part: wanted.range, isWhole: false };
}

function isKnown(headers: FastifyRequest["headers"], { tag, modified }: Version): boolean {
  const tags = headers["if-none-match"];
  if (tags === undefined) return headers["if-modified-since"] === modified;
  return tags.split(",").some((given) => given.trim().replace(/^W\//, "") === tag || given.trim() === "*");
}
