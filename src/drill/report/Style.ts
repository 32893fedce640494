/**
 * The page's style sheet: one column of text, one accent for each thing that a request can come to, light and dark.
 *
 * @module
 */

/** Goes into the page as it is. */
export const css = `
:root {
  color-scheme: light dark;
  --paper: #fcfcfa; --raised: #ffffff; --ink: #1a1c1f; --soft: #5c6066; --faint: #888c92; --line: #e3e3de; --grid: #eeeeea;
  --good: #17734a; --bad: #c2281d; --bad-tint: #fbeae7; --good-tint: #e6f2ec;
  --before: #c3c7cc; --flight: #2b6cd9; --after: #0f9a86; --declined: #d18f0b; --refused: #8d9299; --ended: #b9a06a; --late: #8b5bd0; --lost: #d3281b;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #131417; --raised: #1a1c20; --ink: #e9e9e5; --soft: #a5a8ad; --faint: #7d8187; --line: #2d3036; --grid: #22252a;
    --good: #58c693; --bad: #ff7a6b; --bad-tint: #261a1b; --good-tint: #173026;
    --before: #4a4f57; --flight: #6aa0f7; --after: #35c3ac; --declined: #e5ad3d; --refused: #868b93; --ended: #a08a58; --late: #b08aec; --lost: #ff5a49;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; scroll-behavior: smooth; }
@media (prefers-reduced-motion: reduce) { html { scroll-behavior: auto; } }
body {
  margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.55 Inter, ui-sans-serif, system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", "Liberation Sans", Arial, sans-serif;
  font-feature-settings: "tnum"; font-variant-numeric: tabular-nums;
}
main { max-width: 68rem; margin: 0 auto; padding: 4.5rem 2rem 3rem; }
code, pre { font-family: ui-monospace, "SF Mono", "Cascadia Code", Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: .86em; }
code { overflow-wrap: anywhere; }
a { color: inherit; text-decoration-color: var(--line); text-underline-offset: .2em; text-decoration-thickness: 1px; }
a:hover { text-decoration-color: currentColor; }
a:focus-visible, button:focus-visible, summary:focus-visible { outline: 2px solid var(--flight); outline-offset: 2px; border-radius: 4px; }
p { margin: 0 0 .75rem; max-width: 44rem; }
.kicker { color: var(--soft); margin-bottom: .5rem; }
h1 { font-size: clamp(2rem, 6vw, 3.5rem); line-height: 1.08; letter-spacing: -.028em; font-weight: 640; margin: 0 0 1.1rem; max-width: 22ch; text-wrap: balance; }
h1.pass { color: var(--good); } h1.fail { color: var(--bad); }
.lede { font-size: 1.125rem; color: var(--soft); text-wrap: pretty; } .lede code { color: var(--ink); }
h2 { font-size: 1.35rem; letter-spacing: -.015em; font-weight: 620; margin: 4.5rem 0 1rem; }
h3 { font-size: 1.1rem; letter-spacing: -.01em; font-weight: 620; line-height: 1.35; margin: 0 0 .2rem; }
h4 { font-size: .875rem; font-weight: 620; margin: 1.4rem 0 .4rem; }
.figures { display: grid; grid-template-columns: repeat(4, 1fr) 1.5fr; gap: 1.25rem 2rem; margin: 2.75rem 0 0; padding: 1.4rem 0 0; border-top: 1px solid var(--line); }
.figures dt { color: var(--soft); font-size: .85rem; } .figures dd { margin: 0; font-size: 1.6rem; letter-spacing: -.02em; line-height: 1.3; }
.figures dd small { display: block; font-size: .85rem; letter-spacing: 0; color: var(--soft); }
.figures .bad dd, .figures small.bad { color: var(--bad); }
table { border-collapse: collapse; width: 100%; font-size: .9rem; }
th { text-align: left; font-weight: 500; color: var(--soft); font-size: .82rem; vertical-align: bottom; }
th, td { padding: .5rem 0 .5rem 1.1rem; border-bottom: 1px solid var(--line); }
th:first-child, td:first-child { padding-left: 0; }
td { vertical-align: baseline; }
.number { text-align: right; white-space: nowrap; } .number small { color: var(--faint); font-size: .82rem; }
.zero { color: var(--faint); } td.bad, .bad-text { color: var(--bad); font-weight: 600; }
.scenarios td:first-child { padding-left: 1.4rem; position: relative; min-width: 15rem; }
.scenarios th:first-child { padding-left: 1.4rem; }
.scenarios a { text-decoration: none; } .scenarios a:hover { text-decoration: underline; }
.mark { display: inline-grid; place-items: center; width: 1em; font-weight: 700; } .mark.pass { color: var(--good); } .mark.fail { color: var(--bad); }
.scenarios .mark { position: absolute; left: 0; }
.scenario { margin: 0 0 3.5rem; padding-top: 1.5rem; border-top: 1px solid var(--line); scroll-margin-top: 1rem; }
.sub { color: var(--soft); font-size: .875rem; margin-bottom: 1rem; max-width: none; }
.picker { display: flex; flex-wrap: wrap; gap: .3rem; align-items: center; margin: 0 0 1rem; font-size: .82rem; color: var(--soft); }
.picker span { margin-right: .4rem; }
button { font: inherit; font-size: .82rem; line-height: 1; color: var(--soft); background: none; border: 1px solid var(--line); border-radius: 6px; padding: .42rem .55rem; min-width: 2rem; cursor: pointer; }
button:hover { border-color: var(--faint); color: var(--ink); }
button[aria-pressed="true"] { background: var(--ink); border-color: var(--ink); color: var(--paper); }
button.bad { color: var(--bad); border-color: var(--bad); } button.bad[aria-pressed="true"] { background: var(--bad); border-color: var(--bad); color: var(--paper); }
.picker, .zoom { display: none; } .js .picker, .js .zoom { display: flex; }
.zoom { gap: .3rem; justify-content: flex-end; margin-bottom: .5rem; }
.timeline { margin: 0; }
.plot { position: relative; padding-top: calc(var(--rows) * 1.3rem + .25rem); border-bottom: 1px solid var(--line); overflow: hidden; }
.bars { display: block; width: 100%; }
.bar { fill: none; stroke-width: var(--thick); }
${(["before", "flight", "after", "declined", "refused", "ended", "late", "lost"] as const)
  .map((look) => `.bar.${look}{stroke:var(--${look})} .legend .${look}{background:var(--${look})}`)
  .join("\n")}
.bar.lost { stroke-width: max(calc(var(--thick) * 1px), 3px); }
.flag { position: absolute; top: calc(var(--row) * 1.3rem + .2rem); bottom: 0; width: 0; border-left: 1px solid var(--faint); font-size: .78rem; line-height: 1.3rem; white-space: nowrap; color: var(--soft); pointer-events: none; }
.flag span { position: absolute; left: .35rem; top: -.1rem; padding: 0 .25rem 0 0; background: var(--paper); }
.flag.left span { left: auto; right: .35rem; padding: 0 0 0 .25rem; }
.flag.signal { border-left: 1.5px solid var(--ink); color: var(--ink); font-weight: 600; } .flag.exit { border-left: 1.5px solid var(--ink); color: var(--ink); }
.axis { position: relative; height: 1.6rem; font-size: .74rem; color: var(--faint); overflow: hidden; }
.axis span { position: absolute; transform: translateX(-50%); padding-top: .3rem; white-space: nowrap; }
.axis span::before { content: ""; position: absolute; left: 50%; top: 0; height: .25rem; border-left: 1px solid var(--faint); }
.steps { position: relative; margin: .5rem 0 .75rem; font-size: .78rem; }
.steps p { color: var(--faint); margin: 0 0 .2rem; }
.steps .row { position: relative; height: 1.5rem; overflow: hidden; }
.steps .row + .row { border-top: 1px solid var(--grid); }
.steps .row i { position: absolute; top: .3rem; bottom: .3rem; background: var(--faint); opacity: .4; border-radius: 2px; min-width: 2px; }
.steps .row span { position: absolute; line-height: 1.5rem; padding: 0 .4rem; white-space: nowrap; }
.steps .phase i { opacity: .18; } .steps .phase { font-weight: 600; }
.steps .bad i { background: var(--lost); opacity: .55; } .steps .bad { color: var(--bad); }
.legend { list-style: none; display: flex; flex-wrap: wrap; gap: .2rem 1.2rem; padding: 0; margin: .3rem 0 .5rem; font-size: .8rem; color: var(--soft); }
.legend i { display: inline-block; width: .95rem; height: .42rem; border-radius: 1px; margin-right: .45rem; vertical-align: .08rem; }
figcaption { font-size: .9rem; color: var(--soft); max-width: 44rem; text-wrap: pretty; }
.found { margin-top: 1.25rem; padding: .2rem 1.1rem 1rem; background: var(--bad-tint); border-radius: 8px; overflow-x: auto; }
.found table { font-size: .85rem; } .found th, .found td { padding-top: .25rem; padding-bottom: .25rem; } .found th, .found td { border-color: color-mix(in srgb, var(--bad) 18%, transparent); } .found tr:last-child td { border-bottom: 0; }
.found h4 { margin-top: .9rem; } .found ul { margin: 0; padding-left: 1.1rem; font-size: .9rem; } .found td { white-space: nowrap; } .found details { margin: .2rem 0 0; }
details { margin-top: .8rem; font-size: .9rem; } summary { cursor: pointer; color: var(--soft); width: fit-content; }
.checks { list-style: none; padding: 0; margin: .5rem 0 0; } .checks li { padding: .15rem 0 .15rem 1.5rem; position: relative; } .checks .mark { position: absolute; left: 0; }
.checks small { color: var(--soft); font-size: .85rem; }
pre { margin: .6rem 0 0; padding: .8rem 1rem; background: var(--grid); border-radius: 6px; overflow-x: auto; white-space: pre-wrap; overflow-wrap: anywhere; max-height: 24rem; }
.times { max-width: 40rem; } .pairs { display: grid; grid-template-columns: max-content 1fr; gap: .35rem 1.5rem; margin: 0; font-size: .9rem; } .pairs dt { color: var(--soft); } .pairs dd { margin: 0; overflow-wrap: anywhere; max-width: 44rem; }
.skip { position: absolute; left: -99rem; } .skip:focus { left: 1rem; top: 1rem; }
@media (max-width: 46rem) {
  main { padding: 2.25rem 1.1rem 2rem; }
  h2 { margin-top: 3rem; }
  .figures { grid-template-columns: 1fr 1fr; margin-top: 1.75rem; }
  .scenarios, .scenarios tbody, .scenarios tr, .scenarios td { display: block; } .scenarios thead { position: absolute; left: -99rem; }
    .figures div:last-child { grid-column: 1 / -1; }
  .scenarios tr { padding: .75rem 0 .75rem 1.4rem; border-bottom: 1px solid var(--line); } .scenarios td { border: 0; padding: 0 1rem 0 0; display: inline-block; font-size: .82rem; }
  .scenarios td:first-child { display: block; font-size: 1rem; margin-bottom: .2rem; padding-left: 0; min-width: 0; } .scenarios td:first-child .mark { left: -1.4rem; }
  .scenarios td[data-label]::before { content: attr(data-label) " "; color: var(--soft); font-weight: 400; }
  .scenarios td.empty { display: none; }
  .axis .minor { display: none; }
  .pairs { grid-template-columns: 1fr; gap: 0; } .pairs dd { margin-bottom: .6rem; }
}
@media print { .picker, .zoom { display: none !important; } .scenario { break-inside: avoid; } }
`
