import { expect, it } from "vitest";
import { xrayRegionOf } from "./xray-endpoint.ts";

it.each([
  ["https://xray.eu-central-1.amazonaws.com", "eu-central-1"],
  ["https://xray.us-gov-west-1.amazonaws.com/v1/traces", "us-gov-west-1"],
  ["https://XRAY.cn-north-1.amazonaws.com.cn:443/v1/traces", "cn-north-1"],
  ["https://xray.eusc-de-east-1.amazonaws.eu", "eusc-de-east-1"],
])("%s is X-Ray of %s", (address, region) => {
  expect(xrayRegionOf(address)).toBe(region);
});

it.each([
  ["http://xray.eu-central-1.amazonaws.com"],
  ["https://xray.eu-central-1.amazonaws.com:4318"],
  ["https://xray.eu-central-1.amazonaws.com.example"],
  ["https://xray.eu-central-1.amazonaws.comx"],
  ["https://a.xray.eu-central-1.amazonaws.com"],
  ["https://logs.eu-central-1.amazonaws.com"],
  ["https://example.com/xray.eu-central-1.amazonaws.com"],
  ["https://xray.eu-central-1.amazonaws.com@example.com"],
  ["xray.eu-central-1.amazonaws.com"],
  [""],
])("%s is not", (address) => {
  expect(xrayRegionOf(address)).toBeUndefined();
});
