import { Fragment } from "react";
import { showName } from "./formats.ts";

/** A path or address; where it does not fit a line, it goes on after a slash. */
export function Path({ text }: { readonly text: string }) {
  return (
    <bdi className="name">
      {showName(text)
        .split("/")
        .map((step, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: the steps of a path have no name of their own.
          <Fragment key={index}>
            {index > 0 && (
              <>
                /<wbr />
              </>
            )}
            {step}
          </Fragment>
        ))}
    </bdi>
  );
}
