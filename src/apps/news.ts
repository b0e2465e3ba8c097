import { createDeliveryLoop, type DeliveryLoop, type DeliveryLoopOptions } from "../jobs/delivery-loop.ts";
import type { JobWebhook } from "../jobs/job.ts";
import type { Parts } from "./parts.ts";

/** What the news of jobs are told by. */
export interface NewsOptions extends Pick<DeliveryLoopOptions, "clock" | "log" | "signal"> {
  readonly parts: Pick<Parts, "store" | "deliveries" | "pipelines" | "news">;
  /** Hear of every job. */
  readonly webhooks: readonly JobWebhook[];
  /** Sends what goes over HTTP. */
  readonly post: DeliveryLoopOptions["send"];
}

/** A delivery loop that tells webhooks, and the topic where there is one, which news go to by its own way. */
export function createNewsLoop({ parts, webhooks, post, ...world }: NewsOptions): DeliveryLoop {
  const { store: jobs, deliveries: store, pipelines, news } = parts;
  return createDeliveryLoop({
    ...{ store, jobs, pipelines },
    ...world,
    send: (message, options) => (message.url === news?.target.url ? news.send : post)(message, options),
    globalTargets: [...webhooks, ...(news === undefined ? [] : [news.target])],
  });
}
