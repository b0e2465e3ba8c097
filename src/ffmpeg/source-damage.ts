/** What decoders say of a picture of which they make up a part: H.264 and HEVC, then MPEG-2, then any. */
const OF_PICTURES = /error while decoding MB|concealing \d+ DC|ac-tex damaged|corrupt decoded frame/i;
/** As ffmpeg 5 and 7 tell of a packet that does not decode. */
const OF_PACKETS = /Error while decoding stream|\bdecod\w* error|Error submitting packet to decoder/i;

/** Whether a run's complaints tell that pictures of the source are damaged, which come out all the same. */
export function tellsOfDamagedPictures(complaints: readonly string[]): boolean {
  return complaints.some((line) => OF_PICTURES.test(line));
}

/** Whether a run that read sound alone complains of some of it. */
export function tellsOfDamagedSound(complaints: readonly string[]): boolean {
  return complaints.some((line) => OF_PACKETS.test(line));
}

/** The sentence on such pictures. */
export const DAMAGED_PICTURES = "Some pictures are damaged in the source: what the decoder made of them was encoded.";
