import type { RouteContract } from "../contract.ts";
import { BATCH_ROUTES } from "./batch.ts";
import { COST_ROUTES } from "./cost.ts";
import { DEAD_LETTER_ROUTES } from "./dead-letters.ts";
import { DOCS_ROUTES } from "./docs.ts";
import { EVENT_ROUTES } from "./events.ts";
import { JOB_ROUTES } from "./jobs.ts";
import { LENT_ROUTES } from "./lent.ts";
import { OBJECT_ROUTES } from "./objects.ts";
import { QUEUE_ROUTES } from "./queues.ts";
import { SESSION_ROUTES } from "./session.ts";
import { STATUS_ROUTES } from "./status.ts";
import { UPLOAD_PART_ROUTES } from "./upload-parts.ts";
import { UPLOAD_ROUTES } from "./uploads.ts";
import { WATCH_ROUTES } from "./watch.ts";
import { WEBHOOK_ROUTES } from "./webhooks.ts";

/** All that the server serves, the dashboard's files aside, in the order of the OpenAPI page. */
export const ALL_ROUTES: readonly RouteContract[] = [
  JOB_ROUTES,
  COST_ROUTES,
  EVENT_ROUTES,
  UPLOAD_ROUTES,
  OBJECT_ROUTES,
  BATCH_ROUTES,
  UPLOAD_PART_ROUTES,
  LENT_ROUTES,
  QUEUE_ROUTES,
  DEAD_LETTER_ROUTES,
  WATCH_ROUTES,
  WEBHOOK_ROUTES,
  STATUS_ROUTES,
  SESSION_ROUTES,
  DOCS_ROUTES,
].flatMap((routes) => Object.values<RouteContract>(routes));
