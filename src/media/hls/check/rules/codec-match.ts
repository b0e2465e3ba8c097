/**
 * Whether a format that CODECS declares is the one that was measured. Hexadecimal digits may be of either case. AV1's optional
 * fields may follow the measured string. HE-AAC may be signalled within AAC-LC, where only the sound itself shows it. MP3 has
 * an object type of its own besides that within MPEG-4 audio.
 */
export function isSameCodec(declared: string, measured: string): boolean {
  const given = declared.trim();
  if (given.toLowerCase() === measured.toLowerCase()) return true;
  if (measured.startsWith("av01.")) return given.startsWith(`${measured}.`);
  if (given === "mp4a.40.34") return measured === "mp4a.6B" || measured === "mp4a.69";
  return measured === "mp4a.40.2" && (given === "mp4a.40.5" || given === "mp4a.40.29");
}

/** Whether a format is one of subtitles, which CODECS need not have (Apple 5.10). */
export function isTextCodec(codec: string): boolean {
  return codec === "wvtt" || codec.startsWith("stpp");
}
