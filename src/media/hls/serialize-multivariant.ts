import type { MultivariantPlaylist, Rendition, SessionData, StreamAttributes, VariantStream } from "./playlist.ts";
import { AttributeWriter, headLines, keyLine, uriLine } from "./serialize-common.ts";

/**
 * Writes a multivariant playlist (RFC 8216bis §4.4.6): what `parsePlaylist` reads as the same again. Lines end in LF. Throws
 * MEDIA_MALFORMED where a value cannot stand in a playlist.
 */
export function serializeMultivariant(playlist: MultivariantPlaylist): string {
  const lines = [
    ...headLines(playlist),
    ...playlist.sessionData.map(sessionDataLine),
    ...playlist.sessionKeys.map((key) => keyLine("#EXT-X-SESSION-KEY", key)),
    ...playlist.renditions.map(renditionLine),
    ...playlist.variants.flatMap(variantLines),
    ...playlist.iFrameVariants.map((variant) =>
      streamAttributes(variant).quoted("URI", variant.uri).line("#EXT-X-I-FRAME-STREAM-INF"),
    ),
  ];
  return `${lines.join("\n")}\n`;
}

function variantLines(variant: VariantStream): readonly string[] {
  const attributes = streamAttributes(variant)
    .decimal("FRAME-RATE", variant.framesPerSecond)
    .quoted("AUDIO", variant.audioGroupId)
    .quoted("SUBTITLES", variant.subtitlesGroupId);
  if (variant.closedCaptionsGroupId === null) attributes.word("CLOSED-CAPTIONS", "NONE");
  else attributes.quoted("CLOSED-CAPTIONS", variant.closedCaptionsGroupId);
  return [attributes.line("#EXT-X-STREAM-INF"), uriLine(variant.uri)];
}

function streamAttributes(stream: StreamAttributes): AttributeWriter {
  const { resolution } = stream;
  return new AttributeWriter()
    .integer("BANDWIDTH", stream.bandwidthBitsPerSecond)
    .integer("AVERAGE-BANDWIDTH", stream.averageBandwidthBitsPerSecond)
    .decimal("SCORE", stream.score)
    .quoted("CODECS", stream.codecs?.join(","))
    .quoted("SUPPLEMENTAL-CODECS", stream.supplementalCodecs)
    .word("RESOLUTION", resolution && `${resolution.widthPixels}x${resolution.heightPixels}`)
    .word("HDCP-LEVEL", stream.hdcpLevel)
    .quoted("ALLOWED-CPC", stream.allowedCpc)
    .word("VIDEO-RANGE", stream.videoRange)
    .quoted("REQ-VIDEO-LAYOUT", stream.requiredVideoLayout)
    .quoted("STABLE-VARIANT-ID", stream.stableVariantId)
    .quoted("VIDEO", stream.videoGroupId)
    .quoted("PATHWAY-ID", stream.pathwayId);
}

function renditionLine(rendition: Rendition): string {
  return new AttributeWriter()
    .word("TYPE", rendition.type)
    .quoted("GROUP-ID", rendition.groupId)
    .quoted("NAME", rendition.name)
    .quoted("LANGUAGE", rendition.language)
    .quoted("ASSOC-LANGUAGE", rendition.associatedLanguage)
    .quoted("STABLE-RENDITION-ID", rendition.stableRenditionId)
    .flag("DEFAULT", rendition.isDefault || undefined)
    .flag("AUTOSELECT", rendition.isAutoselect)
    .flag("FORCED", rendition.isForced || undefined)
    .quoted("INSTREAM-ID", rendition.instreamId)
    .integer("BIT-DEPTH", rendition.bitDepth)
    .integer("SAMPLE-RATE", rendition.sampleRateHz)
    .quoted("CHARACTERISTICS", rendition.characteristics)
    .quoted("CHANNELS", rendition.channels)
    .quoted("URI", rendition.uri)
    .line("#EXT-X-MEDIA");
}

function sessionDataLine(data: SessionData): string {
  return new AttributeWriter()
    .quoted("DATA-ID", data.dataId)
    .quoted("VALUE", data.value)
    .quoted("URI", data.uri)
    .word("FORMAT", data.format)
    .quoted("LANGUAGE", data.language)
    .line("#EXT-X-SESSION-DATA");
}
