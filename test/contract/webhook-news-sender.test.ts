import { startReceiver } from "../../src/adapters/webhook/receiver.fixture.ts";
import { createWebhookSender } from "../../src/adapters/webhook/sender.ts";
import { createWebhookSecret } from "../../src/adapters/webhook/signature.ts";
import { systemClock } from "../../src/base/clock.ts";
import { describeNewsSender, type Reception } from "./news-sender-contract.ts";

const STATUSES = { takes: 204, "is busy": 503, refuses: 404 } as const;

describeNewsSender("A webhook", async () => {
  let reception: Reception = "takes";
  const receiver = await startReceiver((response) => {
    if (reception !== "is silent") response.writeHead(STATUSES[reception]).end();
  });
  const send = createWebhookSender({
    secrets: [createWebhookSecret()],
    allowPrivateNetworks: true,
    clock: systemClock,
  });
  let heard = 0;
  return {
    send,
    url: receiver.url,
    nowhere: async () => {
      const gone = await startReceiver();
      await gone.stop();
      return { send, url: gone.url };
    },
    hear: async () => {
      const news = receiver.received.slice(heard);
      heard = receiver.received.length;
      return news.map(({ headers, body }) => ({ id: headers["webhook-id"] ?? "", body }));
    },
    behave: (next) => {
      reception = next;
    },
    maxBytes: undefined,
    // Whoever runs it may be about to put it there.
    mayChangeItsMind: true,
    stop: receiver.stop,
  };
});
