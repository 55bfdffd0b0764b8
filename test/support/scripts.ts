/** The texts of all scripts of a page, as a browser takes them. */
export const scriptsOf = (html: string): string[] =>
  [...html.matchAll(/<script[^>]*>([\s\S]*?)<\/script/gi)].map(([, text = '']) => text);
