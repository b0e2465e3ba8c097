import { type ReactNode, useEffect } from "react";

interface PageHeadingProps {
  readonly title: string;
  /** Beside the title, such as the state of what is shown. */
  readonly aside?: ReactNode;
  /** Above the title: where the page belongs. */
  readonly above?: ReactNode;
  /** What can be done with what is shown. */
  readonly actions?: ReactNode;
}

/** The page's title, which is also the tab's, and takes the focus when the user comes here from another page. */
export function PageHeading({ title, aside, above, actions }: PageHeadingProps) {
  useEffect(() => {
    document.title = `${title} · Reelmill`;
  }, [title]);
  return (
    <header className="page-heading">
      <div className="page-heading-words">
        {above}
        <div className="page-heading-line">
          <h1 tabIndex={-1}>{title}</h1>
          {aside}
        </div>
      </div>
      {actions !== undefined && <div className="actions">{actions}</div>}
    </header>
  );
}
