// The page's style sheet: no fonts or images from outside, light or dark as the reader's system is set, one column from a phone up.
import { darkSeries, lightSeries, seriesVariables } from './palette.ts'

export const pageStyle = `
:root { color-scheme: light dark; --ground: #f6f7f9; --card: #ffffff; --ink: #1b2430; --soft: #5a6675; --line: #dfe3e9; --stripe: #f3f5f8; --accent: #2563c9; ${seriesVariables(lightSeries)} }
@media (prefers-color-scheme: dark) { :root { --ground: #0f1319; --card: #171d26; --ink: #e6eaf0; --soft: #9aa6b5; --line: #2b3442; --stripe: #1d2530; --accent: #7fb0ff; ${seriesVariables(darkSeries)} } }
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; scroll-behavior: smooth; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
.page { max-width: 54rem; margin: 0 auto; padding: 2rem 1rem 4rem; }
header { margin: 0 0 1.5rem; }
h1 { font-size: clamp(1.6rem, 5vw, 2.2rem); line-height: 1.2; letter-spacing: -0.02em; margin: 0 0 .75rem; overflow-wrap: anywhere; }
h2 { font-size: 1.15rem; line-height: 1.3; margin: 0 0 .75rem; overflow-wrap: anywhere; }
h3, h4, h5, h6 { font-size: 1rem; margin: 1.25rem 0 .4rem; }
nav ul { list-style: none; display: flex; flex-wrap: wrap; gap: .4rem; margin: 0; padding: 0; }
nav a { display: block; padding: .15rem .7rem; border: 1px solid var(--line); border-radius: 1rem; background: var(--card); font-size: .85rem; text-decoration: none; }
a { color: var(--accent); }
section { background: var(--card); border: 1px solid var(--line); border-radius: .75rem; padding: 1.1rem 1.25rem; margin: 0 0 1rem; }
section > :last-child { margin-bottom: 0; }
p, ul, ol, pre, blockquote { margin: 0 0 .8rem; }
blockquote { padding-left: .9rem; border-left: 3px solid var(--line); color: var(--soft); }
code, pre { font-family: ui-monospace, "SF Mono", Menlo, Consolas, monospace; font-size: .875em; }
code { background: var(--stripe); border-radius: .25rem; padding: .1em .3em; }
pre { background: var(--stripe); border-radius: .5rem; padding: .7rem .9rem; overflow-x: auto; }
pre code { background: none; padding: 0; }
.scroll { overflow-x: auto; margin: 0 0 .8rem; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; }
th, td { padding: .4rem .7rem; text-align: left; vertical-align: top; border-bottom: 1px solid var(--line); }
th { font-weight: 600; color: var(--soft); white-space: nowrap; }
td { overflow-wrap: break-word; max-width: 32rem; }
tbody tr:nth-child(even) { background: var(--stripe); }
tbody tr:last-child td { border-bottom: 0; }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.note { color: var(--soft); font-size: .85rem; margin: .4rem 0 0; }
figure { margin: 0 0 .8rem; }
figure svg { display: block; width: 100%; height: auto; min-width: 26rem; overflow: visible; }
.legend { display: flex; flex-wrap: wrap; gap: .2rem 1rem; list-style: none; margin: 0 0 .5rem; padding: 0; font-size: .85rem; }
.legend li { display: flex; align-items: center; gap: .4rem; overflow-wrap: anywhere; }
.legend svg { width: 1.4rem; min-width: 1.4rem; height: .8rem; flex: none; }
.ramp { display: flex; align-items: center; gap: .6rem; font-size: .85rem; color: var(--soft); font-variant-numeric: tabular-nums; margin: 0 0 .6rem; }
.ramp i { height: .7rem; width: 10rem; max-width: 40vw; border-radius: .35rem; }
details { font-size: .85rem; color: var(--soft); }
summary { cursor: pointer; width: fit-content; }
details table { color: var(--ink); margin-top: .5rem; }
.sample { border: 1px solid var(--line); border-radius: .5rem; margin: 0 0 .75rem; overflow: hidden; }
.sample header { display: flex; flex-wrap: wrap; gap: .3rem .5rem; align-items: baseline; margin: 0; padding: .45rem .8rem; background: var(--stripe); border-bottom: 1px solid var(--line); font-size: .85rem; }
.sample header b { margin-right: auto; overflow-wrap: anywhere; }
.tag { border: 1px solid var(--line); border-radius: 1rem; padding: 0 .55rem; background: var(--card); color: var(--soft); overflow-wrap: anywhere; }
.sample div { padding: .65rem .8rem; white-space: pre-wrap; overflow-wrap: anywhere; max-height: 26rem; overflow-y: auto; }
.empty { color: var(--soft); font-style: italic; }
@media (max-width: 40rem) { .page { padding: 1.25rem .6rem 3rem; } section { padding: .9rem; border-radius: .6rem; } }
@media print { body { background: none; } section { break-inside: avoid; border-color: #ccc; } .sample div { max-height: none; } nav { display: none; } }
`
