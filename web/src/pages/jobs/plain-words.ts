import type { Field } from "../../schema-form/fields.ts";

/** What the form says instead of the API's terms. */
type Words = Partial<Pick<Field, "label" | "hint" | "optionLabels">>;

/** Parameters that several pipelines have. */
const COMMON: Readonly<Record<string, Words>> = {
  outputPrefix: {
    label: "Folder of the results",
    hint: "Where they lie on the server, beginning with outputs/. Empty: a folder of the job's own.",
  },
};

const BY_PIPELINE: Readonly<Record<string, Readonly<Record<string, Words>>>> = {
  repair: {
    inputs: { label: "Damaged recordings" },
    references: { label: "Healthy references" },
    engine: {
      label: "Repair program",
      hint: "Automatic: Reelmill itself, then the program untrunc where that fails and is installed.",
      optionLabels: { auto: "Automatic", native: "Reelmill itself", untrunc: "untrunc" },
    },
    verify: {
      label: "Check of the result",
      optionLabels: { none: "None", quick: "Quick", full: "Every picture" },
    },
    faststart: { label: "For playing over a network" },
  },
};

/** Parameters that few change: they are folded away. */
const RARE: ReadonlySet<string> = new Set(["outputPrefix", "engine"]);

/** A field of a pipeline in the words of who films; what has none keeps its own. */
export function putPlainly(field: Field, pipeline: string): Field {
  return { ...field, ...COMMON[field.name], ...BY_PIPELINE[pipeline]?.[field.name] };
}

/** Whether few change it. */
export function isRare({ name }: Field): boolean {
  return RARE.has(name);
}
