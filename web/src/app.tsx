import { useEffect, useRef } from "react";
import { ApiProvider } from "./auth/api-provider.tsx";
import { useKeyGate } from "./auth/key-gate.ts";
import { KeyPage } from "./auth/key-page.tsx";
import { JobPage } from "./pages/job/job-page.tsx";
import { JobsPage } from "./pages/jobs/jobs-page.tsx";
import { QueuesPage } from "./pages/queues/queues-page.tsx";
import { SystemPage } from "./pages/system/system-page.tsx";
import { WatchPage } from "./pages/watch/watch-page.tsx";
import { Link } from "./routing/link.tsx";
import { usePlace } from "./routing/location.ts";
import { matchRoute, type Route } from "./routing/routes.ts";
import { SiteHeader } from "./site-header.tsx";
import { Announcer } from "./ui/announcer.tsx";
import { Empty, Loading } from "./ui/empty.tsx";
import { ErrorBoundary } from "./ui/error-boundary.tsx";
import { PageHeading } from "./ui/page-heading.tsx";
import { UploadsProvider } from "./uploads/uploads-context.tsx";

/** The dashboard. */
export function App() {
  return (
    <Announcer>
      <ApiProvider>
        <UploadsProvider>
          <Site />
        </UploadsProvider>
      </ApiProvider>
    </Announcer>
  );
}

function Site() {
  const { path } = usePlace();
  const { state } = useKeyGate();
  const main = useRef<HTMLElement>(null);
  const place = `${state} ${path}`;
  const shownPlace = useRef(place);
  useEffect(() => {
    if (shownPlace.current === place) return;
    shownPlace.current = place;
    // Another page: who uses the keyboard or listens starts at its heading.
    main.current?.querySelector("h1")?.focus();
    window.scrollTo(0, 0);
  }, [place]);
  const route = matchRoute(path);
  return (
    <>
      <a className="skip-link" href={`${path}#content`} onClick={(event) => skip(event, main.current)}>
        Skip to the content
      </a>
      <SiteHeader page={route.page} />
      <main id="content" ref={main} tabIndex={-1}>
        {state === "opening" && <Loading what="the dashboard" />}
        {state === "key-needed" && <KeyPage />}
        {state === "open" && (
          <ErrorBoundary key={path}>
            <Page route={route} />
          </ErrorBoundary>
        )}
      </main>
    </>
  );
}

/** Moves the focus itself: a fragment in the address would count as another page. */
function skip(event: { preventDefault: () => void }, main: HTMLElement | null): void {
  event.preventDefault();
  main?.focus();
}

function Page({ route }: { readonly route: Route }) {
  switch (route.page) {
    case "jobs":
      return <JobsPage />;
    case "job":
      return <JobPage id={route.id} />;
    case "queues":
      return <QueuesPage />;
    case "watch":
      return <WatchPage />;
    case "system":
      return <SystemPage />;
    case "missing":
      return <MissingPage />;
  }
}

function MissingPage() {
  return (
    <>
      <PageHeading title="No such page" />
      <Empty title="There is nothing at this address">
        <Link to="/">Go to the jobs</Link>
      </Empty>
    </>
  );
}
