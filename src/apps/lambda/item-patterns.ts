/*
 * Which changes of the table `item-changed` is called for. Most are none of its: a task that runs tells twice a second how far it has come, in its job's own
 * item, and every call costs. Patterns are those of Lambda's filters (docs.aws.amazon.com/lambda/latest/dg/with-ddb-filtering.html): each field named must
 * fit one of its list, and a record comes through that fits any pattern. `exists` is true of values alone, not of the maps around them.
 */

/** What a value may be, any of the list. */
export type ValueRule = string | { readonly prefix: string } | { readonly exists: boolean };

/** A part of a record, field by field. */
export interface ItemPattern {
  readonly [field: string]: ItemPattern | readonly ValueRule[];
}

const THERE: readonly ValueRule[] = [{ exists: true }];
/** A job's own item, in whichever space of the table. */
const ANY_JOB = { sk: { S: ["job"] } } as const;
/** One that is in no space. */
const OWN_JOB = { ...ANY_JOB, pk: { S: [{ prefix: "job#" }] } } as const;

/** All that `onItemChanged` acts on, and no more: whoever changes either has to change both. */
export const ITEM_PATTERNS: readonly ItemPattern[] = [
  // Something is still to be written: the list of it, or, where that is long, where it lies.
  { dynamodb: { Keys: ANY_JOB, NewImage: { pending: { S: THERE } } } },
  { dynamodb: { Keys: ANY_JOB, NewImage: { pending: { M: { apart: { S: THERE } } } } } },
  // Waits to be begun.
  { dynamodb: { Keys: OWN_JOB, NewImage: { status: { S: ["queued"] } } } },
  // Has ended; before, the attribute is not there or is null.
  { dynamodb: { Keys: OWN_JOB, NewImage: { finishedAtMs: { N: THERE } } } },
];
