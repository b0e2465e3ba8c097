import { expect, it } from "vitest";
import { canonicalLanguage, isLanguageTag } from "./language-tag.ts";

it.each([
  ["eng", "en"],
  ["pt-br", "pt-BR"],
  ["zh-yue", "yue"],
  ["zh-cmn-Hans-CN", "zh-Hans-CN"],
  ["sgn-ase", "ase"],
  ["de-1996", "de-1996"],
])("%s is %s", (text, expected) => {
  expect(canonicalLanguage(text)).toBe(expected);
  expect(isLanguageTag(text)).toBe(true);
});

it.each(["i-klingon", "x-ours", "zh-min-nan", "en-GB-oed"])("%s has the form, though no other spelling", (text) => {
  expect(isLanguageTag(text)).toBe(true);
});

it.each(["", "in English", "e", "de_DE", "abcdefghi"])("%j is none", (text) => {
  expect(canonicalLanguage(text)).toBeUndefined();
  expect(isLanguageTag(text)).toBe(false);
});
