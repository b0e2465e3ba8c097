import type { ReactNode } from "react";
import { Icon, type IconName } from "./icon.tsx";

interface ButtonProps {
  readonly kind?: "primary" | "plain" | "quiet" | "danger";
  readonly type?: "button" | "submit";
  readonly icon?: IconName;
  readonly isBusy?: boolean;
  readonly isDisabled?: boolean;
  /** What it does, where the words inside do not say it alone. */
  readonly label?: string;
  readonly onClick?: () => void;
  readonly children?: ReactNode;
}

/** Makes something happen. Stays in the tab order while busy, so that the focus is not lost. */
export function Button(props: ButtonProps) {
  const { kind = "plain", type = "button", icon, isBusy = false, isDisabled = false, label, onClick, children } = props;
  return (
    <button
      type={type === "submit" ? "submit" : "button"}
      className={`button button-${kind}`}
      disabled={isDisabled}
      aria-disabled={isBusy}
      aria-label={label}
      title={children === undefined ? label : undefined}
      onClick={(event) => {
        if (isBusy) event.preventDefault();
        else onClick?.();
      }}
    >
      {icon !== undefined && <Icon name={icon} />}
      {children}
    </button>
  );
}
