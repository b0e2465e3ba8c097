import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ByteWindow } from "../../media/bytes/byte-window.ts";
import { type Anchor, Anchors } from "./anchors.ts";

/** Anchors wherever the byte is 1, with a count of the bytes asked about. */
function anchorsIn(bytes: Uint8Array): { readonly anchors: Anchors; readonly asked: number[] } {
  const source = {
    sizeBytes: bytes.length,
    read(offset: number, target: Uint8Array) {
      const part = bytes.subarray(offset, offset + target.length);
      target.set(part);
      return part.length;
    },
  };
  const asked: number[] = [];
  const anchorAt = (offset: number): Anchor => {
    asked.push(offset);
    return { offset, evidenceBits: 30, isSure: true };
  };
  const test = { isStartByte: (byte: number) => byte === 1, anchorAt };
  return { anchors: new Anchors(new ByteWindow(source), test, bytes.length), asked };
}

describe("Anchors", () => {
  it("answers every question as a plain search would, whatever was asked before", () => {
    const bytes = fc.uint8Array({ minLength: 1, maxLength: 200, max: 4 });
    const questions = fc.array(fc.tuple(fc.nat(220), fc.nat(60)), { maxLength: 30 });
    fc.assert(
      fc.property(bytes, questions, (data, asks) => {
        const { anchors } = anchorsIn(data);
        for (const [offset, length] of asks) {
          const at = data.indexOf(1, offset);
          const expected = at >= 0 && at <= offset + length ? at : undefined;
          expect(anchors.next(offset, offset + length)?.offset).toBe(expected);
        }
      }),
    );
  });

  it("looks at no byte twice on the way on", () => {
    const bytes = new Uint8Array(5000).fill(1);
    const { anchors, asked } = anchorsIn(bytes);
    for (let offset = 0; offset < 4000; offset++) anchors.next(offset, offset + 100);
    expect(asked.length).toBe(new Set(asked).size);
  });
});
