import type { Presentation } from "./presentation.ts";

/** One thing that breaks a rule, or that the rule could not look at. */
export interface Finding {
  /** Playlist, stream or segment. */
  readonly where: string;
  /** What was found and what is allowed, one sentence. */
  readonly message: string;
}

/** `not-applicable`: nothing in the presentation is of the kind that the rule speaks of. */
export type Outcome = "passed" | "failed" | "not-checked" | "not-applicable";

/** One rule of the table. */
export interface Rule {
  /** Stable, kebab-case. */
  readonly id: string;
  readonly level: "must" | "should";
  /** Where it is written: sections of RFC 8216bis, items of Apple's HLS authoring specification. */
  readonly clause: string;
  /** What it asks for, one sentence. */
  readonly title: string;
  /** Tells the verdict what was looked at and found. */
  readonly check: (presentation: Presentation, verdict: Verdict) => void;
}

/** What came of a rule. */
export interface RuleResult {
  readonly id: string;
  readonly level: "must" | "should";
  readonly clause: string;
  readonly title: string;
  readonly outcome: Outcome;
  /** Why it failed or was not checked; at most 20, then how many more there are. */
  readonly findings: readonly Finding[];
  readonly moreFindings: number;
}

const MAX_FINDINGS = 20;

/** Gathers what a rule finds. A rule that tells nothing does not apply. */
export class Verdict {
  readonly #failures: Finding[] = [];
  readonly #unchecked: Finding[] = [];
  #hasLooked = false;

  /** Something was looked at; alone it means that the rule is kept. */
  looked(): void {
    this.#hasLooked = true;
  }

  /** The rule is broken here. */
  fail(where: string, message: string): void {
    this.#hasLooked = true;
    this.#failures.push({ where, message });
  }

  /** The rule would apply here, but what it needs is not there: encrypted, or not readable. */
  unchecked(where: string, message: string): void {
    this.#unchecked.push({ where, message });
  }

  /** What came of it all: a failure counts more than what was not checked. */
  finish({ id, level, clause, title }: Rule): RuleResult {
    const all = this.#failures.length > 0 ? this.#failures : this.#unchecked;
    const findings = all.slice(0, MAX_FINDINGS);
    return { id, level, clause, title, outcome: this.#outcome(), findings, moreFindings: all.length - findings.length };
  }

  #outcome(): Outcome {
    if (this.#failures.length > 0) return "failed";
    if (this.#unchecked.length > 0) return "not-checked";
    return this.#hasLooked ? "passed" : "not-applicable";
  }
}
