/** What decoders say of a picture of which they make up a part: H.264 and HEVC, then MPEG-2, then any. */
const OF_PICTURES = /error while decoding MB|concealing \d+ DC|ac-tex damaged|corrupt decoded frame/i;
/** As ffmpeg 5 and 7 tell of a packet that does not decode. */
const OF_PACKET = /decoding stream #0:(\d+)\b|\[aist#0:(\d+)\/.*\bdecod/;

/** Whether a run's complaints tell that pictures of the source are damaged, which come out all the same. */
export function tellsOfDamagedPictures(complaints: readonly string[]): boolean {
  return complaints.some((line) => OF_PICTURES.test(line));
}

/** Indexes of the streams of the first input of which a run's complaints tell that some packets do not decode. */
export function undecodedStreams(complaints: readonly string[]): ReadonlySet<number> {
  const told = complaints.map((line) => OF_PACKET.exec(line)).filter((match) => match !== null);
  return new Set(told.map(([, before, now]) => Number(before ?? now)));
}

/** The sentence on such pictures. */
export const DAMAGED_PICTURES = "Some pictures are damaged in the source: what the decoder made of them was encoded.";
