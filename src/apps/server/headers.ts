/** Of every answer; pages and objects replace the policy by their own. */
export const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  "x-content-type-options": "nosniff",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
  "referrer-policy": "no-referrer",
  "cross-origin-resource-policy": "same-origin",
  "x-frame-options": "DENY",
};

/**
 * For the dashboard: its own files alone, the videos it plays by blob URLs, and the empty tracks that hls.js puts subtitles into; and what it reads and
 * writes in a store of that origin.
 */
export function dashboardPolicy(store?: string): string {
  const also = store === undefined ? "" : ` ${store}`;
  return (
    `default-src 'self'; connect-src 'self'${also}; img-src 'self' data: blob:${also}; media-src 'self' blob: data:${also}; ` +
    "worker-src 'self' blob:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
  );
}

/** For objects, which came from anywhere: nothing in them runs, even where one is opened by itself. */
export const OBJECT_POLICY =
  "default-src 'none'; media-src 'self'; img-src 'self'; style-src 'unsafe-inline'; sandbox; frame-ancestors 'none'";
