import type { ByteSource } from "../media/bytes/byte-source.ts";
import type { Lesson } from "./choose-reference.ts";
import type { Extent, Triage } from "./triage.ts";

export function learnFromItself(_damaged: ByteSource, _state: Triage): Lesson | undefined {
  return undefined;
}

export function describePayload(_damaged: ByteSource, _extents: readonly Extent[]): string | undefined {
  return undefined;
}
