import type { MouseEvent, ReactNode } from "react";
import { navigate } from "./location.ts";

interface LinkProps {
  readonly to: string;
  readonly className?: string;
  /** `page` or `true` where the link leads to what is shown. */
  readonly current?: "page" | "true" | undefined;
  readonly children: ReactNode;
}

/** A link within the dashboard; opens elsewhere where the user asks the browser for that. */
export function Link({ to, className, current, children }: LinkProps) {
  const follow = (event: MouseEvent): void => {
    if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    navigate(to);
  };
  return (
    <a href={to} className={className} aria-current={current} onClick={follow}>
      {children}
    </a>
  );
}
