/** The style of report.html: no fonts, no images, colours by the reader's scheme, each pair at least 4.5:1. */
export const STYLE = `
:root { color-scheme: light dark; --bg: #fcfcfb; --fg: #1f2328; --soft: #57606a; --line: #d8dde3;
  --panel: #f3f4f2; --bad: #b42318; --good: #1a6b33; --link: #0a58b5; }
@media (prefers-color-scheme: dark) { :root { --bg: #14171b; --fg: #e4e7eb; --soft: #9aa4af; --line: #333a42;
  --panel: #1c2026; --bad: #ff8f85; --good: #6fd08c; --link: #7db8ff; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 74rem; padding: 2rem 1.5rem 5rem; background: var(--bg); color: var(--fg);
  font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", "Noto Sans", Roboto, sans-serif; }
header { border-bottom: 1px solid var(--line); padding-bottom: 1.25rem; }
h1 { font-size: 1.5rem; line-height: 1.35; font-weight: 650; margin: 0 0 .9rem; overflow-wrap: anywhere; }
h2 { font-size: 1.1rem; font-weight: 650; margin: 2.5rem 0 .6rem; }
p, ul, ol { margin: .5rem 0; max-width: 50rem; }
ul { padding-left: 1.2rem; }
li { margin: .2rem 0; overflow-wrap: anywhere; }
a { color: var(--link); text-underline-offset: .15em; }
.kicker { margin: 0 0 .6rem; color: var(--soft); font-size: .9rem; overflow-wrap: anywhere; }
.warning { border-left: .25rem solid var(--bad); padding: .1rem 0 .1rem .9rem; margin: 1rem 0; }
.soft { color: var(--soft); }
.bad { color: var(--bad); font-weight: 600; }
.good { color: var(--good); }
dl { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: .3rem 1.5rem; margin: 0; }
dt { color: var(--soft); }
dd { margin: 0; overflow-wrap: anywhere; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: .95rem; }
th, td { text-align: left; vertical-align: top; padding: .35rem 1.5rem .35rem 0; border-bottom: 1px solid var(--line); }
th { font-weight: 600; color: var(--soft); white-space: nowrap; }
td { overflow-wrap: anywhere; }
td.time, td.number { font-variant-numeric: tabular-nums; white-space: nowrap; }
pre, code, .mono { font-family: ui-monospace, "Cascadia Code", "DejaVu Sans Mono", Menlo, Consolas, monospace; }
code { font-size: .92em; overflow-wrap: anywhere; }
pre { margin: .5rem 0 1rem; padding: .8rem 1rem; background: var(--panel); border: 1px solid var(--line); border-radius: .4rem;
  font-size: .8rem; line-height: 1.45; overflow: auto; max-height: 40rem; unicode-bidi: plaintext; tab-size: 8; }
/* Reversed, a box shows its end first. */
pre.tail { display: flex; flex-direction: column-reverse; }
h3 { font-size: 1rem; font-weight: 600; margin: 1.2rem 0 0; overflow-wrap: anywhere; }
details { margin: .5rem 0; }
summary { cursor: pointer; padding: .2rem 0; overflow-wrap: anywhere; }
footer { margin-top: 3rem; padding-top: 1rem; border-top: 1px solid var(--line); color: var(--soft); font-size: .85rem;
  overflow-wrap: anywhere; }
a:focus-visible, summary:focus-visible, pre:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
@media (max-width: 40rem) { body { padding: 1.25rem 1rem 3rem; } dl { grid-template-columns: 1fr; gap: 0; } dd { margin-bottom: .5rem; } }
@media print { pre, pre.tail { display: block; max-height: none; white-space: pre-wrap; } }
`;
