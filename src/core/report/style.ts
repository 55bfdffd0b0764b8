import { FAMILIES } from './wait-family.js';

/** The style of report.html: no fonts, no images, colours by the reader's scheme, each pair at least 4.5:1. */
export const STYLE = `
:root { color-scheme: light dark; --bg: #fcfcfb; --fg: #1f2328; --soft: #57606a; --line: #d8dde3;
  --panel: #f3f4f2; --bad: #b42318; --good: #1a6b33; --link: #0a58b5; --mark: #fff3c4; --field: #f7f8f6;
  --root: #fdeae7; --server: #f6b7ae; --lock: #f7d08f; --io: #aed0f6; --journal: #cdc2f5; --memory: #f3bcde;
  --work: #abdec6; --user: #dde2e6; --other: #eef0ee; }
@media (prefers-color-scheme: dark) { :root { --bg: #14171b; --fg: #e4e7eb; --soft: #9aa4af; --line: #333a42;
  --panel: #1c2026; --bad: #ff8f85; --good: #6fd08c; --link: #7db8ff; --mark: #4a3d10; --field: #191d22;
  --root: #3a1b19; --server: #7a2f29; --lock: #66480f; --io: #1e4a78; --journal: #483a84; --memory: #6d2957;
  --work: #1c5840; --user: #3a424b; --other: #23282e; } }
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
nav { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; padding: .8rem 0; border-bottom: 1px solid var(--line); font-size: .95rem; }
.see a { margin-left: .15rem; padding: 0 .35rem; border: 1px solid var(--line); border-radius: .6rem; font-size: .82em; white-space: nowrap; }
pre b { font-weight: 700; }
:target { scroll-margin-top: 1rem; }
pre :target, .group:target > summary { background: var(--mark); outline: 2px solid var(--link); outline-offset: 1px; }
textarea { width: 100%; padding: .8rem 1rem; background: var(--panel); color: var(--fg); border: 1px solid var(--line); border-radius: .4rem;
  font: .8rem/1.45 ui-monospace, "Cascadia Code", "DejaVu Sans Mono", Menlo, Consolas, monospace; resize: vertical; }
.facet { border: 0; padding: 0; margin: .5rem 0; display: flex; flex-wrap: wrap; gap: .3rem .4rem; align-items: baseline; min-width: 0; }
.facet legend { float: left; padding: 0; width: 5.2rem; color: var(--soft); font-size: .9rem; }
.facet label { position: relative; }
.facet input { position: absolute; inset: 0; width: 100%; height: 100%; margin: 0; opacity: 0; cursor: pointer; }
.facet label > span { display: block; padding: .1rem .7rem; border: 1px solid var(--line); border-radius: 1rem; font-size: .9rem; }
.facet small { color: var(--soft); font-variant-numeric: tabular-nums; }
.facet input:hover + span { border-color: var(--soft); }
.facet input:checked + span, .facet input:checked + span small { background: var(--fg); border-color: var(--fg); color: var(--bg); }
.facet input:focus-visible + span { outline: 2px solid var(--link); outline-offset: 2px; }
.choice { font-size: .9rem; }
.filtered:not(:has(.pick-idle:checked)) .idle { display: none; }
.none { display: none; }
[hidden] { display: none !important; }
.find { display: flex; flex-wrap: wrap; gap: .4rem .8rem; align-items: baseline; }
.find input, button { padding: .2rem .6rem; background: var(--field); color: var(--fg); border: 1px solid var(--line); border-radius: .4rem; font: inherit; font-size: .9rem; }
button { cursor: pointer; }
.group { margin: 0; border-bottom: 1px solid var(--line); }
.groups { margin: .8rem 0; border-top: 1px solid var(--line); }
.group > summary { padding: .4rem 0; }
.group > summary .swatch { margin: 0 .35rem 0 .1rem; }
.group > p { margin: .2rem 0 .4rem; font-size: .9rem; }
.group > pre { margin-top: .2rem; }
details { margin: .5rem 0; }
summary { cursor: pointer; padding: .2rem 0; overflow-wrap: anywhere; }
footer { margin-top: 3rem; padding-top: 1rem; border-top: 1px solid var(--line); color: var(--soft); font-size: .85rem;
  overflow-wrap: anywhere; }
a:focus-visible, summary:focus-visible, pre:focus-visible, .picture:focus-visible, .scroll:focus-visible, textarea:focus-visible, button:focus-visible, .find input:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
.picture { overflow-x: auto; margin: .8rem 0; }
.picture svg { display: block; max-width: 100%; height: auto; font-family: ui-monospace, "Cascadia Code", "DejaVu Sans Mono", Menlo, Consolas, monospace; font-size: 12px; }
.picture text { fill: var(--fg); }
.box rect { fill: var(--panel); stroke: var(--soft); }
.box.outside rect { stroke-dasharray: 5 4; }
.box.root > rect { fill: var(--root); stroke: var(--bad); stroke-width: 2.5; }
.box .ringed { fill: none; stroke: var(--bad); stroke-width: 2; stroke-dasharray: 2 4; }
.box.root > .ringed { fill: none; stroke-width: 2; }
.box .head { font-weight: 700; }
.box .tag { fill: var(--soft); font-size: 10.5px; letter-spacing: .06em; }
.box.root .tag, .box.ring .tag { fill: var(--bad); font-weight: 700; }
.arrow path { fill: none; stroke: var(--soft); stroke-width: 1.6; }
.arrow polygon { fill: var(--soft); }
.arrow.guess path { stroke-dasharray: 6 4; }
.arrow.ring path { stroke: var(--bad); }
.arrow.ring polygon { fill: var(--bad); }
.arrow rect { fill: var(--bg); }
.arrow text { text-anchor: middle; }
.bar rect { fill: var(--other); stroke: var(--bg); stroke-width: .5; }
.bar text { font-size: 11px; }
.timeline { font-size: 11px !important; }
.timeline .name { font-weight: 700; }
.timeline .field { fill: var(--field); }
.timeline .wedged { fill: var(--root); opacity: .55; }
.timeline .rule { stroke: var(--line); }
.tick line { stroke: var(--line); stroke-dasharray: 2 4; }
.tick text { text-anchor: middle; fill: var(--soft); }
.stone line { stroke: var(--soft); stroke-width: 1.2; }
.stone.turn line { stroke: var(--bad); }
.stone .end { text-anchor: end; }
.progress path { fill: var(--good); }
.mark rect, .mark path, .mark circle { fill: var(--soft); }
.mark.good circle { fill: var(--good); }
.mark.bad path { fill: none; stroke: var(--bad); stroke-width: 2; }
.lane.looks .mark path { fill: var(--bg); stroke: var(--link); stroke-width: 1.6; }
.lane.looks .mark.bad path { stroke: var(--bad); }
.mark rect.key { fill: var(--bg); stroke: var(--soft); }
.lane.dumps .mark.good text { fill: var(--good); font-weight: 700; }
.lane.dumps .mark.bad text { fill: var(--bad); font-weight: 700; }
.hung rect { fill: none; stroke: var(--soft); stroke-dasharray: 5 4; }
.hung .break { fill: none; stroke: var(--soft); stroke-width: 1.5; }
${FAMILIES.map((name) => `.f-${name} > rect, .swatch.f-${name} { fill: var(--${name}); background: var(--${name}); }`).join('\n')}
.bar.f-idle > rect { fill: var(--bg); stroke: var(--line); stroke-width: 1; }
.bar > .hatched { fill: url(#hatch); }
.hatch { stroke: var(--fg); stroke-width: 1; opacity: .24; }
.legend { list-style: none; padding: 0; margin: .6rem 0; max-width: none; display: flex; flex-wrap: wrap; gap: .2rem 1.2rem; font-size: .9rem; }
.swatch { display: inline-block; width: .9rem; height: .9rem; margin-right: .4rem; vertical-align: -.1rem; border: 1px solid var(--soft); }
.swatch.hatched { background: repeating-linear-gradient(135deg, var(--fg) 0 1px, transparent 1px 5px); }
@media (max-width: 40rem) { body { padding: 1.25rem 1rem 3rem; } dl { grid-template-columns: 1fr; gap: 0; } dd { margin-bottom: .5rem; } }
@media print { pre, pre.tail { display: block; max-height: none; white-space: pre-wrap; } }
`;

/** Beside that, for index.html: on a narrow screen each row is a card. */
export const INDEX_STYLE = `
.stacking { width: 100%; }
.stacking td { padding: .55rem 1.25rem .55rem 0; }
.stacking .number, .stacking th { white-space: nowrap; }
.stacking td.vm { font-weight: 600; }
.stacking tbody a { text-decoration-color: var(--line); }
.stacking tbody a:hover { text-decoration-color: currentColor; }
.about { display: block; margin-top: .1rem; color: var(--soft); font-size: .85rem; }
@media (max-width: 48rem) {
  .stacking thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  .stacking, .stacking tbody, .stacking tr, .stacking td { display: block; }
  .stacking tr { padding: .8rem 0; border-bottom: 1px solid var(--line); }
  .stacking td { padding: 0; border: 0; }
  .stacking td.time, .stacking td.vm { display: inline; margin-right: .8rem; color: var(--soft); font-size: .9rem; }
  .stacking td[data-name] { display: inline; margin-right: 1rem; font-size: .85rem; font-weight: 400; }
  .stacking td[data-name]::before { content: attr(data-name) " "; color: var(--soft); }
}
`;
