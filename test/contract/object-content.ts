import { expect } from "vitest";

/** A text as content. */
export const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Texts, one chunk each. */
export async function* stream(...texts: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield bytesOf(text);
}

/** The content as a text. */
export async function collect(content: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of content) chunks.push(chunk);
  return Buffer.concat(chunks).toString("utf8");
}

/** An error of that code. */
export const withCode = (code: string): unknown => expect.objectContaining({ code });
