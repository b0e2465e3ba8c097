import { z } from "zod";
import type { Collector } from "../adapters/telemetry/collector.ts";
import type { Environment } from "../base/config-defaults.ts";
import { ENDPOINT_FORM, SERVER_ADDRESS } from "../base/server-settings.ts";
import { readSettings, type Setting, type SettingNotes, wholeNumber } from "../base/setting.ts";
import { xrayRegionOf } from "../base/xray-endpoint.ts";

const ADDRESS = z.url({ protocol: /^https?$/ }).max(2048);
const ADDRESS_FORM = "an http or https address";
const LIST_FORM = "`name=value` pairs, separated by commas; what is special in values percent-encoded";

/** Pairs as W3C Baggage has them, which is how OpenTelemetry writes lists of attributes and headers. */
const PAIRS = z.string().transform((text, context) => {
  const pairs: [string, string][] = [];
  for (const part of text.split(",").filter((each) => each.trim() !== "")) {
    const [, name, value] = /^\s*([^\s=;]+)\s*=\s*(.*?)\s*$/.exec(part) ?? [];
    const decoded = value === undefined ? undefined : decode(value);
    if (name === undefined || decoded === undefined) {
      context.addIssue("no list of pairs");
      return z.NEVER;
    }
    pairs.push([name, decoded]);
  }
  return Object.fromEntries(pairs);
});

function decode(value: string): string | undefined {
  try {
    return decodeURIComponent(value);
  } catch {
    return undefined;
  }
}

/** The variables of OpenTelemetry that are heeded, and what goes with them, in the order of the reference page. */
const SETTINGS = {
  OTEL_EXPORTER_OTLP_ENDPOINT: {
    schema: ADDRESS.optional(),
    notes: {
      meaning:
        "The collector that traces are sent to, by OTLP over HTTP as JSON; `v1/traces` is put behind it. Requests to X-Ray, such as https://xray.eu-central-1.amazonaws.com, are signed with the credentials that the AWS SDK finds.",
      allowed: `${ADDRESS_FORM}, such as http://127.0.0.1:4318`,
      unset: "",
    },
  },
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: {
    schema: ADDRESS.optional(),
    notes: { meaning: "The same, with nothing put behind it.", allowed: ADDRESS_FORM, unset: "" },
  },
  REELMILL_XRAY_ENDPOINT: {
    schema: SERVER_ADDRESS.optional(),
    notes: {
      meaning: "Where X-Ray is, if not at AWS; one of the two above still names it, and with it the region.",
      allowed: ENDPOINT_FORM,
      unset: "",
    },
  },
  OTEL_EXPORTER_OTLP_PROTOCOL: {
    schema: z.literal("http/json").default("http/json"),
    notes: { meaning: "How they are sent.", allowed: "http/json, the one that is spoken here", unset: "http/json" },
  },
  OTEL_EXPORTER_OTLP_HEADERS: {
    schema: PAIRS.default({}),
    notes: { meaning: "Headers that are sent along, such as a key.", allowed: LIST_FORM, unset: "", isSecret: true },
  },
  OTEL_EXPORTER_OTLP_TIMEOUT: {
    schema: wholeNumber(1, 600_000).default(10_000),
    notes: {
      meaning: "How long one request to the collector may take.",
      allowed: "a whole number of milliseconds from 1 to 600000",
      unset: "10000",
    },
  },
  OTEL_SERVICE_NAME: {
    schema: z.string().max(255).default("reelmill"),
    notes: { meaning: "What all spans are said to be of.", allowed: "a name", unset: "reelmill" },
  },
  OTEL_RESOURCE_ATTRIBUTES: {
    schema: PAIRS.default({}),
    notes: { meaning: "What else is said of all spans.", allowed: LIST_FORM, unset: "" },
  },
  OTEL_SDK_DISABLED: {
    schema: z
      .string()
      .regex(/^(true|false)$/i)
      .transform((text) => text.toLowerCase() === "true")
      .default(false),
    notes: {
      meaning: "Whether nothing is traced, wherever the collector is.",
      allowed: "true or false",
      unset: "false",
    },
  },
} as const satisfies Readonly<Record<string, Setting>>;

/** Where traces go, as the settings say it. */
export interface TraceDestination {
  readonly collector: Collector;
  /** The region of X-Ray that they go to, which wants its requests signed; undefined: they go to somebody else. */
  readonly xrayRegion: string | undefined;
}

/** Where traces go; undefined: nothing is traced. Throws CONFIG_INVALID. */
export function readTraceDestination(environment: Environment): TraceDestination | undefined {
  const settings = readSettings(environment, SETTINGS);
  const { OTEL_EXPORTER_OTLP_ENDPOINT: base, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: whole } = settings;
  const named = whole ?? (base && `${base.replace(/\/+$/, "")}/v1/traces`);
  if (named === undefined || settings.OTEL_SDK_DISABLED) return undefined;
  const xrayRegion = xrayRegionOf(named);
  const instead = xrayRegion === undefined ? undefined : settings.REELMILL_XRAY_ENDPOINT;
  const collector = {
    url: instead === undefined ? named : `${instead}${new URL(named).pathname}`,
    headers: settings.OTEL_EXPORTER_OTLP_HEADERS,
    timeoutMs: settings.OTEL_EXPORTER_OTLP_TIMEOUT,
    resource: { ...settings.OTEL_RESOURCE_ATTRIBUTES, "service.name": settings.OTEL_SERVICE_NAME },
  };
  return { collector, xrayRegion };
}

/** The variables with their notes; the reference page is made from it. */
export function describeTraceSettings(): readonly (SettingNotes & { readonly name: string })[] {
  return Object.entries(SETTINGS).map(([name, { notes }]) => ({ name, ...notes }));
}
