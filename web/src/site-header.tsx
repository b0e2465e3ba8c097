import { useKeyGate } from "./auth/key-gate.ts";
import { useAction } from "./live/use-action.ts";
import { Link } from "./routing/link.tsx";
import type { Route } from "./routing/routes.ts";
import { Button } from "./ui/button.tsx";
import { ThemeToggle } from "./ui/theme-toggle.tsx";

const PAGES = [
  { page: "jobs", path: "/", label: "Jobs" },
  { page: "queues", path: "/queues", label: "Queues" },
  { page: "watch", path: "/watch", label: "Watch folder" },
  { page: "system", path: "/system", label: "System" },
] as const;

/** Name of the house and the way to its pages. */
export function SiteHeader({ page }: { readonly page: Route["page"] }) {
  const current = page === "job" ? "jobs" : page;
  return (
    <header className="site-header">
      <div className="site-header-inner">
        <Link to="/" className="brand">
          <svg viewBox="0 0 32 32" aria-hidden="true" focusable="false">
            <rect width="32" height="32" rx="8" />
            <circle cx="16" cy="16" r="9.5" className="brand-ring" />
            <circle cx="16" cy="10.8" r="2" className="brand-hole" />
            <circle cx="11.5" cy="18.6" r="2" className="brand-hole" />
            <circle cx="20.5" cy="18.6" r="2" className="brand-hole" />
          </svg>
          Reelmill
        </Link>
        <nav className="site-nav" aria-label="Pages">
          {PAGES.map(({ page: name, path, label }) => (
            <Link key={name} to={path} current={name === current ? "page" : undefined}>
              {label}
            </Link>
          ))}
        </nav>
        <div className="site-tools">
          <SignOut />
          <ThemeToggle />
        </div>
      </div>
    </header>
  );
}

function SignOut() {
  const { hasKey, leave } = useKeyGate();
  const action = useAction();
  if (!hasKey) return null;
  return (
    <>
      {action.error !== null && <span role="alert">{action.error.message}</span>}
      <Button kind="quiet" isBusy={action.isBusy} onClick={() => void action.run(leave)}>
        Sign out
      </Button>
    </>
  );
}
