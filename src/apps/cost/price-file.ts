import { readFileSync } from "node:fs";
import { ReelmillError } from "../../base/errors.ts";
import { overridePrices, type PriceTable, shippedPrices } from "../../cost/price-table.ts";

/** The shipped price table, with what the file that REELMILL_PRICES names has in its place. Throws CONFIG_INVALID. */
export function loadPrices(path: string | undefined): PriceTable {
  if (path === undefined) return shippedPrices();
  const origin = `REELMILL_PRICES (${path})`;
  return overridePrices(readJson(path, origin), origin);
}

function readJson(path: string, origin: string): unknown {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ReelmillError("CONFIG_INVALID", `${origin} cannot be read as JSON: ${reason}.`, { cause: error });
  }
}
