#pragma once

#include <string_view>

namespace troupe::flash_sale::html {

/// The looks of the report's page, by light and by dark. Blue and orange stay apart for every kind of colour
/// sight.
inline constexpr std::string_view style = R"(
:root { color-scheme: light dark; --page: #f6f7f9; --card: #fff; --ink: #1b1f24; --soft: #5b6470; --rule: #e1e5ea;
  --sold: #1668c7; --refused: #d9822b; --answered: #7a8491; --good: #1a7f37; --bad: #c62828; --note: #9a6700; }
@media (prefers-color-scheme: dark) { :root { --page: #101418; --card: #181d23; --ink: #e6eaee; --soft: #9aa5b1;
  --rule: #2a323b; --sold: #5aa2f0; --refused: #e9a254; --answered: #8b96a3; --good: #4cc26b; --bad: #ff7b72; --note: #e0b040; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); font: 15px/1.5 system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
main { max-width: 1080px; margin: 0 auto; padding: 28px 20px 48px; }
h1 { font-size: 24px; line-height: 1.25; margin: 0 0 4px; overflow-wrap: anywhere; }
h2 { font-size: 16px; margin: 0; }
p { margin: 0; }
.soft { color: var(--soft); }
.verdict { display: inline-block; margin: 14px 0 18px; padding: 4px 12px; border-radius: 999px; border: 1px solid currentColor; font-weight: 600; }
.good { color: var(--good); } .bad { color: var(--bad); } .noted { color: var(--note); }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 12px; margin: 0 0 16px; }
.figures div, section { background: var(--card); border: 1px solid var(--rule); border-radius: 10px; }
.figures div { padding: 12px 16px; }
.figures dt { color: var(--soft); font-size: 13px; }
.figures dd { margin: 0; font-size: 24px; font-weight: 600; font-variant-numeric: tabular-nums; }
.figures dl { margin: 0; }
section { padding: 18px 20px; margin: 0 0 16px; }
.head { display: flex; flex-wrap: wrap; gap: 4px 20px; align-items: baseline; justify-content: space-between; margin-bottom: 8px; }
.legend { display: flex; gap: 16px; margin: 0; padding: 0; list-style: none; font-size: 13px; color: var(--soft); }
.legend i { display: inline-block; width: 12px; height: 12px; border-radius: 3px; margin-right: 6px; vertical-align: -1px; }
.scroll { overflow-x: auto; }
svg { display: block; width: 100%; min-width: 620px; height: auto; }
svg text { font: 12px system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; fill: var(--soft); font-variant-numeric: tabular-nums; }
.key-sold { background: var(--sold); } .key-refused { background: var(--refused); } .key-answered { background: var(--answered); }
svg .grid { stroke: var(--rule); stroke-width: 1; }
svg .sold { fill: var(--sold); } svg .refused { fill: var(--refused); }
svg rect:hover { opacity: .75; }
svg polyline { fill: none; stroke-width: 2; stroke-linejoin: round; }
svg .line-sold { stroke: var(--sold); } svg .line-answered { stroke: var(--answered); }
svg line.kill { stroke: var(--bad); stroke-dasharray: 4 3; } svg text.kill { fill: var(--bad); }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { padding: 6px 10px; text-align: right; border-bottom: 1px solid var(--rule); white-space: nowrap; }
th:first-child, td:first-child { text-align: left; padding-left: 0; }
th { color: var(--soft); font-weight: 500; font-size: 13px; }
tr:last-child td { border-bottom: 0; }
.checks { list-style: none; margin: 0; padding: 0; }
.checks li { padding: 4px 0 4px 26px; position: relative; overflow-wrap: anywhere; }
.checks b { position: absolute; left: 0; }
details { margin-top: 10px; } summary { cursor: pointer; color: var(--soft); font-size: 13px; }
summary:focus-visible { outline: 2px solid var(--sold); outline-offset: 3px; border-radius: 4px; }
)";

}  // namespace troupe::flash_sale::html
