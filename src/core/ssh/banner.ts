/** What a server's first bytes are: RFC 4253 section 4.2 lets other lines come before the one that starts `SSH-`. */
type Banner = { kind: 'banner'; text: string } | { kind: 'more' } | { kind: 'not-ssh' };

/** Enough for a banner of 255 bytes and any sensible text before it. */
const MAX_BYTES = 8192;

/** Judges all bytes that came so far, as latin1 text. */
export function bannerOf(received: string): Banner {
  const text = /(?:^|\n)(SSH-[^\r\n]*)\r?\n/.exec(received)?.[1];
  if (text !== undefined) return { kind: 'banner', text };
  return received.length > MAX_BYTES ? { kind: 'not-ssh' } : { kind: 'more' };
}
