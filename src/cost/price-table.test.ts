import { describe, expect, it } from "vitest";
import { overridePrices, PRICE_NAMES, shippedPrices } from "./price-table.ts";

const OWN = { usd: 0.05, per: "vCPU-hour", region: "eu-central-1", asOf: "2026-11-01", source: "https://example.com/" };
const form = (prices: Readonly<Record<string, unknown>>) => ({ schema: 1, currency: "USD", prices });

describe("the price table", () => {
  it("has every price, each with its day, its region and where it is published", () => {
    const { prices } = shippedPrices();
    expect(Object.keys(prices).sort()).toEqual([...PRICE_NAMES].sort());
    for (const name of PRICE_NAMES) expect(prices[name]?.source, name).toMatch(/^https:\/\/aws\.amazon\.com\//);
  });

  it("says of every price that floats that it does", () => {
    const { prices } = shippedPrices();
    const floating = PRICE_NAMES.filter((name) => name.includes("Spot."));
    expect(floating).toHaveLength(3);
    for (const name of floating) expect(prices[name]?.note, name).toMatch(/^Spot prices float/);
  });

  it("takes prices of another table, keeps the others, and lets go of those that are null", () => {
    const { prices, mediaConvert } = overridePrices(form({ "fargate.vcpuHour": OWN, "sqs.request": null }), "mine");
    expect(prices["fargate.vcpuHour"]).toEqual(OWN);
    expect(prices["fargate.memoryGbHour"]).toEqual(shippedPrices().prices["fargate.memoryGbHour"]);
    expect(Object.hasOwn(prices, "sqs.request")).toBe(false);
    expect(mediaConvert).toEqual(shippedPrices().mediaConvert);
  });

  it.each([
    [form({ "fargate.vcpuHours": OWN }), /mine is no price table: prices: .*fargate\.vcpuHours/],
    [form({ "fargate.vcpuHour": { ...OWN, usd: -1 } }), /prices\.fargate\.vcpuHour\.usd: -1 must be at least 0/],
    [form({ "fargate.vcpuHour": { ...OWN, usd: "0.05" } }), /usd: "0\.05" must be a number/],
    [form({ "fargate.vcpuHour": { ...OWN, asOf: "last year" } }), /asOf: /],
    [form({ "fargate.vcpuHour": { ...OWN, source: "javascript:1" } }), /source: /],
    [form({ "fargate.vcpuHour": { ...OWN, was: 1 } }), /vcpuHour: .*was/],
    [{ ...form({}), currency: "EUR" }, /currency: "EUR" must be USD/],
    [{ ...form({}), schema: 2 }, /schema: 2 must be 1/],
    [null, /it: null must be an object/],
  ])("refuses %j", (given, message) => {
    expect(() => overridePrices(given, "mine")).toThrow(expect.objectContaining({ code: "CONFIG_INVALID" }));
    expect(() => overridePrices(given, "mine")).toThrow(message);
  });
});
