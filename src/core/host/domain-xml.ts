/** The file that libvirt writes a domain's console to (libvirt formatdomain: serial and console, source and log). */

const CONSOLE = /<(serial|console)\b([^>]*)>([^]*?)<\/\1>/g;
const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

/** Null where it is a terminal without a log. libvirt writes attributes in either kind of quotes. */
export function domainConsoleFile(xml: string): string | null {
  for (const [, , attributes = '', body = ''] of xml.matchAll(CONSOLE)) {
    const log = attributeOf(/<log\b[^>]*\bfile=(["'])(.*?)\1/, body);
    const source = /\btype=["']file["']/.test(attributes)
      ? attributeOf(/<source\b[^>]*\bpath=(["'])(.*?)\1/, body)
      : null;
    const path = log ?? source;
    if (path?.startsWith('/') === true) return path;
  }
  return null;
}

function attributeOf(shape: RegExp, body: string): string | null {
  const [, , value] = shape.exec(body) ?? [];
  return value?.replace(/&(amp|lt|gt|quot|apos);/g, (_all, name: string) => ENTITIES[name] ?? '') ?? null;
}
