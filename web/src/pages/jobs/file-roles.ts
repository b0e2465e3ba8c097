import type { Field } from "../../schema-form/fields.ts";
import type { FileAnswers } from "../../schema-form/params.ts";
import type { UploadItem } from "../../uploads/upload.ts";
import type { Role } from "../../uploads/upload-row.tsx";

/** What one file of a parameter is called. */
const FILE_LABELS: Readonly<Record<string, string>> = {
  inputs: "Damaged recording",
  references: "Healthy reference",
};

/** What uploaded files can be for a pipeline with these fields. */
export function rolesOf(fields: readonly Field[], pipeline: string): readonly Role[] {
  return fields
    .filter(({ input }) => input.kind === "files")
    .map(({ name, label }) => ({ name, label: (pipeline === "repair" ? FILE_LABELS[name] : undefined) ?? label }));
}

/** What is wrong with what the files are for, by the field that needs one and has none. */
export function findMissing(
  items: readonly UploadItem[],
  fields: readonly Field[],
  roles: readonly Role[],
): Readonly<Record<string, string>> {
  const taken = new Set(items.map((item) => roleOf(item, roles)));
  const needed = new Set(fields.filter(({ isRequired }) => isRequired).map(({ name }) => name));
  const missing = roles.filter(({ name }) => needed.has(name) && !taken.has(name));
  const begin = items.length === 0 ? "Choose a file and mark it" : "Mark one file";
  return Object.fromEntries(missing.map(({ name, label }) => [name, `${begin} as “${label}”.`]));
}

/** What a file is for: as the user said, or else the first thing that files can be. */
export function roleOf(item: UploadItem, roles: readonly Role[]): string | null {
  return roles.find(({ name }) => name === item.role)?.name ?? roles[0]?.name ?? null;
}

/** Keys of the finished uploads by the parameter that they are for. */
export function sortFiles(items: readonly UploadItem[], roles: readonly Role[]): FileAnswers {
  const files: Record<string, readonly string[]> = {};
  for (const item of items) {
    const role = roleOf(item, roles);
    if (role === null || item.key === null) continue;
    files[role] = [...(files[role] ?? []), item.key];
  }
  return files;
}
