import { showName } from "./formats.ts";

/** A name from outside; its direction of writing does not reach beyond it. */
export function Name({ text }: { readonly text: string }) {
  return <bdi className="name">{showName(text)}</bdi>;
}
