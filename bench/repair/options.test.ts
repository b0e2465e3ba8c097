import { describe, expect, it } from "vitest";
import { STANDARD_DAMAGES } from "./damage.ts";
import { parseBenchOptions } from "./options.ts";

describe("the command line", () => {
  it("has defaults", () => {
    const options = parseBenchOptions([]);
    expect(options?.damages).toEqual(STANDARD_DAMAGES);
    expect(options?.command).toMatch(/reelmill'? repair \{bad\} -r \{ref\} -o \{out\}$/);
  });

  it("reads lists, pairs and loops", () => {
    const options = parseBenchOptions("--damages T30,HOLE --pair a=b --loop c=12 --loop d=3 --no-decode".split(" "));
    expect(options?.damages).toEqual(["T30", "HOLE"]);
    expect(options?.pairs).toEqual([{ victim: "a", reference: "b" }]);
    expect(options?.loops).toEqual([
      { name: "c", times: 12 },
      { name: "d", times: 3 },
    ]);
    expect(options?.decodes).toBe(false);
  });

  it.each(["--damages T31", "--nonsense", "--timeout soon", "--pair a", "--loop a=0"])("refuses %s", (line) => {
    expect(() => parseBenchOptions(line.split(" "))).toThrow(expect.objectContaining({ code: "USAGE" }));
  });
});
