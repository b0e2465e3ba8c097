import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createSnsSender } from "../../src/adapters/aws/sns-sender.ts";
import { setCredentials } from "../support/aws.ts";
import { describeNewsSender, type Reception } from "./news-sender-contract.ts";

const TOPIC = "arn:aws:sns:eu-central-1:123456789012:completions";
const TAKEN = `<PublishResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><PublishResult><MessageId>m</MessageId></PublishResult></PublishResponse>`;
const fault = (code: string): string =>
  `<ErrorResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><Error><Type>Sender</Type><Code>${code}</Code><Message>no</Message></Error></ErrorResponse>`;
const ANSWERS = {
  takes: [200, TAKEN],
  "is busy": [503, fault("ServiceUnavailable")],
  refuses: [404, fault("NotFound")],
} as const;

/** A stand-in for SNS, which an emulator could not be: it has to be busy and silent, too. */
async function startTopic() {
  const heard: { readonly id: string; readonly body: string }[] = [];
  let reception: Reception = "takes";
  const server = createServer(async (request, response) => {
    let text = "";
    for await (const piece of request) text += String(piece);
    const fields = new URLSearchParams(text);
    const field = (name: string): string => fields.get(name) ?? "";
    const names = `${field("Action")} ${field("TopicArn")} ${field("MessageAttributes.entry.1.Name")}`;
    const isPublished = names === `Publish ${TOPIC} webhook-id`;
    if (isPublished) {
      heard.push({ id: field("MessageAttributes.entry.1.Value.StringValue"), body: field("Message") });
    }
    if (reception === "is silent") return;
    const [status, body] = ANSWERS[reception];
    response.writeHead(status, { "content-type": "text/xml" }).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    hear: async () => heard.splice(0),
    behave: (next: Reception): void => {
      reception = next;
    },
    stop: async (): Promise<void> => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

describeNewsSender("SNS", async () => {
  setCredentials();
  const { endpoint, hear, behave, stop } = await startTopic();
  const region = "eu-central-1";
  const sender = createSnsSender({ region, endpoint });
  const away = createSnsSender({ region, endpoint: "http://127.0.0.1:1" });
  return {
    send: sender.send,
    url: TOPIC,
    nowhere: async () => ({ send: away.send, url: TOPIC }),
    ...{ hear, behave },
    // 256 KiB are shared with the attribute.
    maxBytes: 256 * 1024 - 256,
    mayChangeItsMind: false,
    stop: async () => {
      for (const one of [sender, away]) one.close();
      await stop();
    },
  };
});
