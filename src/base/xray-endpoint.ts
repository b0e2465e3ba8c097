/**
 * Where AWS X-Ray takes traces by OTLP (Amazon CloudWatch User Guide, "OTLP endpoints"), in the partitions of AWS, China and the European Sovereign Cloud.
 * Nothing may stand before or behind it: requests there carry what proves whose they are.
 */
const XRAY = /^xray\.([a-z0-9-]+)\.amazonaws\.(?:com|com\.cn|eu)$/;

/** The region whose X-Ray the address is of, such as `eu-central-1`; undefined where it is anybody else's, not of https, or no address. */
export function xrayRegionOf(address: string): string | undefined {
  const url = URL.parse(address);
  return url?.protocol === "https:" ? XRAY.exec(url.host)?.[1] : undefined;
}

/**
 * What a role must be allowed that sends spans there. The reference of AWS names the first two for it, its guide a policy that has the third alone; AWS
 * knows no narrower resource than all for any of them.
 */
export const XRAY_ACTIONS = ["xray:PutSpans", "xray:PutSpansForIndexing", "xray:PutTraceSegments"] as const;
