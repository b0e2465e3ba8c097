import { createHash } from "node:crypto";
import { ERROR_CODES, type ErrorCode } from "../../base/errors.ts";
import type { OpenApi, Operation } from "./openapi.ts";
import { statusOf } from "./problem.ts";

const STYLE = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 60rem; margin: 0 auto; padding: 1rem; }
h2 { border-bottom: 1px solid #8888; margin-top: 2.5rem; }
code { font-family: ui-monospace, monospace; overflow-wrap: anywhere; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .3rem .6rem .3rem 0; border-bottom: 1px solid #8884; }
details { margin: .5rem 0; } summary { cursor: pointer; }
`;

/** Lets the pages' own style in, and nothing else. */
export const DOCS_POLICY = `default-src 'none'; style-src 'sha256-${createHash("sha256").update(STYLE).digest("base64")}'; base-uri 'none'; frame-ancestors 'none'`;

function escapeHtml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}

function page(title: string, body: string): string {
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${title}</title><style>${STYLE}</style></head><body><main><h1>${title}</h1>${body}</main></body></html>\n`;
}

/** The interface for people. */
export function renderApiPage({ info, tags, paths }: OpenApi): string {
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );
  const sections = tags.map(({ name }) => {
    const own = operations.filter(({ operation }) => operation.tags.includes(name));
    const items = own.map(({ path, method, operation }) => renderOperation(path, method, operation));
    return `<h2>${escapeHtml(name)}</h2>${items.join("")}`;
  });
  const intro = `<p>Version ${escapeHtml(info.version)}. ${escapeHtml(info.description)} The same for programs: <a href="/openapi.json">openapi.json</a>. <a href="/docs/errors">Error codes</a>.</p>`;
  return page("Reelmill interface", intro + sections.join(""));
}

function renderOperation(
  path: string,
  method: string,
  { summary, parameters, requestBody, responses }: Operation,
): string {
  const rows = parameters.map((parameter) => {
    const schema = escapeHtml(JSON.stringify(parameter["schema"]));
    const where = `${escapeHtml(String(parameter["in"]))}${parameter["required"] === true ? ", required" : ""}`;
    const about = escapeHtml(String(parameter["description"] ?? ""));
    return `<tr><td><code>${escapeHtml(String(parameter["name"]))}</code></td><td>${where}</td><td>${about} <code>${schema}</code></td></tr>`;
  });
  const answers = Object.entries(responses).map(
    ([status, answer]) =>
      `<tr><td>${status}</td><td colspan="2">${escapeHtml(String(answer["description"]))}</td></tr>`,
  );
  const body =
    requestBody === undefined
      ? ""
      : `<tr><td>body</td><td colspan="2"><code>${escapeHtml(JSON.stringify(requestBody["content"]))}</code></td></tr>`;
  return `<details><summary><code>${method.toUpperCase()} ${escapeHtml(path)}</code> ${escapeHtml(summary)}</summary><table>${rows.join("")}${body}${answers.join("")}</table></details>`;
}

/** The error codes for people; problems lead here by their `type`. */
export function renderErrorsPage(): string {
  const rows = (Object.entries(ERROR_CODES) as [ErrorCode, { meaning: string; retryable: boolean }][]).map(
    ([code, { meaning, retryable }]) =>
      `<tr id="${code}"><td><code>${code}</code></td><td>${statusOf(code)}</td><td>${escapeHtml(meaning)}</td><td>${retryable ? "yes" : "no"}</td></tr>`,
  );
  return page(
    "Error codes",
    `<p><a href="/docs">Interface</a></p><table><tr><th>code</th><th>status</th><th>what it means</th><th>retry</th></tr>${rows.join("")}</table>`,
  );
}
