import { expect, it } from "vitest";
import { languageOf, uniqueLabels } from "./track-names.ts";

it.each([
  ["eng", "en", "English"],
  ["pt-br", "pt-BR", "português (Brasil)"],
  ["en-x-dub", "en-x-dub", "English"],
  ["de-u-co-phonebk", "de-u-co-phonebk", "Deutsch"],
  ["x-private", "und", "Sound 1"],
  ["not a language", "und", "Sound 1"],
])("takes %s for %s, called %s", (language, tag, label) => {
  const track = { language, title: undefined };
  expect(languageOf(track)).toBe(tag);
  expect(uniqueLabels([track], "Sound")).toEqual([label]);
});
