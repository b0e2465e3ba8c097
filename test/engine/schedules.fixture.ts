import fc from "fast-check";

export type Part = "ok" | "bad" | "flaky";

/** What happens to `parts` by so many workers; each choice says who goes on, and how. Behind the last one, the first who can. */
export interface Schedule {
  readonly parts: readonly Part[];
  readonly workers: number;
  readonly choices: readonly number[];
}

export const schedules: fc.Arbitrary<Schedule> = fc.record({
  parts: fc.array(fc.constantFrom<Part>("ok", "ok", "bad", "flaky"), { minLength: 1, maxLength: 3 }),
  workers: fc.integer({ min: 2, max: 3 }),
  choices: fc.array(fc.nat(0xffff), { maxLength: 120, size: "max" }),
});

/** What becomes of a step. */
export type Fate =
  | "goes on"
  /** Its answer is lost, so that it is sent again. */
  | "comes twice"
  /** The worker dies before what it asks for is done. */
  | "dies before"
  /** It is done, and the worker dies before it hears of that. */
  | "dies behind"
  /** All leases run out before it, also those of workers that live. */
  | "is late";

const FATES: readonly (readonly [Fate, share: number])[] = [
  ["dies before", 20],
  ["dies behind", 20],
  ["is late", 30],
  ["comes twice", 50],
];

/** The choice's lower part says who, its upper part how, in thousandths. */
export function readChoice(choice: number): { readonly which: number; readonly fate: Fate } {
  const which = choice & 0x3f;
  let rest = (choice >> 6) % 1000;
  for (const [fate, share] of FATES) {
    if (rest < share) return { which, fate };
    rest -= share;
  }
  return { which, fate: "goes on" };
}

/** The choice by which the first who can goes on. */
export const PLAIN = 0x8000;
