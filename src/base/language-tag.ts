/** A language in its wider one, such as `zh-yue` (RFC 5646 §2.2.2): JavaScript knows it by itself alone. */
const EXTENDED = /^[a-z]{2,3}(?:-[a-z]{3}){0,2}-([a-z]{3})(?=-|$)/i;
/** Tags of private use, and those registered before others had a form (§2.2.8), which JavaScript does not take. */
const OTHER =
  /^(?:[ix](?:-[a-z\d]{1,8})+|art-lojban|cel-gaulish|en-GB-oed|no-(?:bok|nyn)|sgn-(?:BE-FR|BE-NL|CH-DE)|zh-(?:guoyu|hakka|min|min-nan|xiang))$/i;

/** A language tag (BCP 47) in the form that all of its spellings have; undefined where JavaScript takes the text for none. */
export function canonicalLanguage(text: string): string | undefined {
  if (OTHER.test(text)) return undefined;
  try {
    return Intl.getCanonicalLocales(text.replace(EXTENDED, "$1"))[0];
  } catch {
    return undefined;
  }
}

/** Whether a text has the form of a language tag (RFC 5646 §2.1). */
export function isLanguageTag(text: string): boolean {
  return OTHER.test(text) || canonicalLanguage(text) !== undefined;
}
