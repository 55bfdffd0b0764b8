/** Contrast of a page, measured in the browser: scripts for `evaluate`. */

/** The lowest contrast of a picture's text with the shape behind it. Runs in the page. */
export const WORST_CONTRAST_IN_PICTURES = `(() => {
  const luminance = (css) => css.match(/[\\d.]+/g).slice(0, 3).map(Number)
    .map((c) => c / 255).map((c) => (c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const ratios = [...document.querySelectorAll('.picture text')].map((text) => {
    const shape = text.parentElement.querySelector('rect:not(.ringed):not(.hatched)');
    const fill = shape && getComputedStyle(shape).fill;
    // Of the timeline: on the page, or on its field, which is nearly the same.
    const behind = fill && fill !== 'none' ? fill : getComputedStyle(document.body).backgroundColor;
    const [a, b] = [getComputedStyle(text).fill, behind].map(luminance).sort((x, y) => y - x);
    return (a + 0.05) / (b + 0.05);
  });
  return Math.min(...ratios);
})()`;

/** The lowest contrast of any text with what is behind it, by WCAG 2.1. Runs in the page. */
export const WORST_CONTRAST = `(() => {
  const channels = (css) => css.match(/[\\d.]+/g).map(Number);
  const luminance = (css) => channels(css).slice(0, 3)
    .map((c) => c / 255).map((c) => (c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (node) => {
    for (let at = node; at; at = at.parentElement) {
      const colour = getComputedStyle(at).backgroundColor;
      if (channels(colour)[3] !== 0) return colour;
    }
    throw new Error('no background');
  };
  let worst = 21;
  for (const node of document.querySelectorAll('body *')) {
    if (![...node.childNodes].some((child) => child.nodeType === 3 && child.data.trim())) continue;
    const [a, b] = [luminance(getComputedStyle(node).color), luminance(behind(node))].sort((x, y) => y - x);
    worst = Math.min(worst, (a + 0.05) / (b + 0.05));
  }
  return worst;
})()`;
