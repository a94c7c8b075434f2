/** The whole look of the page. Nothing is loaded: fonts are those of the reader's system. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --page: #f6f7f9; --card: #fff; --line: #dde1e7; --text: #1b2330; --quiet: #5a6576;
  --bar: #2563b0; --muted: #8a94a3; --track: #edf0f4;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #12161d; --card: #1b212b; --line: #303947; --text: #e7ebf1; --quiet: #a3aebd;
    --bar: #6ea8ee; --muted: #7d8896; --track: #262e3a;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; max-width: 84rem; padding: 1.5rem 1rem 3rem;
  background: var(--page); color: var(--text);
  font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif;
  overflow-wrap: anywhere;
}
h1 { margin: 0; font-size: 1.75rem; line-height: 1.25; }
h2 { margin: 0; font-size: 1.3rem; line-height: 1.3; }
h3 { margin: 0 0 .75rem; font-size: 1rem; }
a { color: var(--bar); }
code { font-size: .9em; }
.quiet { margin: .25rem 0 0; color: var(--quiet); font-size: .875rem; }
section, details { margin-top: 2.5rem; }
summary { cursor: pointer; }
summary h2 { display: inline; }
.card { margin: 0; padding: 1rem; background: var(--card); border: 1px solid var(--line); border-radius: 8px; }
.tiles, .charts { display: grid; gap: 1rem; margin-top: 1rem; }
.tiles { grid-template-columns: repeat(auto-fit, minmax(min(100%, 9.5rem), 1fr)); margin-top: 1.5rem; }
.charts { grid-template-columns: repeat(auto-fill, minmax(min(100%, 34rem), 1fr)); }
.tiles dt { color: var(--quiet); font-size: .875rem; }
.tiles dd { margin: 0; font-size: clamp(1.125rem, 4.5vw, 1.5rem); white-space: nowrap; font-weight: 600; line-height: 1.25; }
figure { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 14rem), 1fr)); gap: 0 1.5rem; align-content: start; }
figcaption, figure p { grid-column: 1 / -1; }
svg { display: block; overflow: visible; font-size: 13px; }
svg text { fill: var(--text); }
svg .number, td, thead th { font-variant-numeric: tabular-nums; }
.track { fill: var(--track); }
.value { fill: var(--bar); }
.no-value { fill: var(--muted); }
table { width: 100%; border-collapse: collapse; font-size: .875rem; align-self: start; }
th, td { padding: .3rem 0 .3rem .75rem; border-bottom: 1px solid var(--line); text-align: right; vertical-align: top; }
th:first-child { padding-left: 0; text-align: left; font-weight: 400; }
td { white-space: nowrap; overflow-wrap: normal; }
thead th, thead th:first-child { color: var(--quiet); font-weight: 600; overflow-wrap: normal; }
.studies { margin-top: 1rem; }
@media (max-width: 40rem) {
  .studies table { display: grid; grid-template-columns: repeat(4, auto); font-size: .75rem; }
  .studies :is(thead, tbody, tr) { display: grid; grid-column: 1 / -1; grid-template-columns: subgrid; }
  .studies tr { border-bottom: 1px solid var(--line); padding: .3rem 0; }
  .studies :is(th, td) { border: 0; padding: .1rem 0 .1rem .5rem; }
  .studies th:first-child { grid-column: 1 / -1; padding-left: 0; font-size: .875rem; }
  .studies :is(th, td):nth-child(2) { padding-left: 0; text-align: left; }
}
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
footer { margin-top: 3rem; }
`
