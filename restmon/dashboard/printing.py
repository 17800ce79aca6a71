"""How pages are printed: whole, on white, without menus and buttons."""

import streamlit as st

WIDTH = 700
"""Pixels: what A4 and Letter have between their margins."""
ADDRESS = "#print"
"""A link to this opens the browser's print dialog."""

STYLE = """
.print-only {display: none}
a.print-link {color: inherit; font-size: 0.9rem}
@media print {
  @page {margin: 12mm}
  :root {color-scheme: light}
  html, body, #root, #root > div, [data-testid=stApp], [data-testid=stAppViewContainer],
  [data-testid=stMain], [data-testid=stMainBlockContainer] {
    position: static !important; display: block !important; overflow: visible !important;
    width: auto !important; max-width: none !important; height: auto !important;
    min-height: 0 !important; padding: 0 !important; background: #FFF !important}
  [data-testid=stApp] *:not(svg, svg *) {color: #0A131C !important; box-shadow: none !important}
  [data-testid=stApp] *:not(svg, svg *, .strip *) {background-color: transparent !important}
  [data-testid=stApp] svg text {fill: #0A131C !important}
  [data-testid=stApp] svg, .strip * {print-color-adjust: exact; -webkit-print-color-adjust: exact}
  [data-testid=stHeader], [data-testid=stSidebar], [data-testid=stToolbar],
  [data-testid=stButton], [data-testid=stDownloadButton], [data-testid=stForm],
  [data-testid=stTextInput], [data-testid=stNumberInput],
  [data-testid=stSelectbox], [data-testid=stDateInput], [data-testid=stButtonGroup],
  [data-testid=stTooltipIcon]:not(:has([data-testid^=stPageLink])),
  [data-testid=stPopover], [data-testid=stHeaderActionElements],
  [data-testid=stExpander]:not(:has(details[open])), .st-key-demo, .st-key-timeline_hint,
  .strip details:not([open]), .no-print
    {display: none !important}
  .print-only {display: block}
  .print-fit {height: auto !important; min-height: 0 !important}
  [data-testid=stVerticalBlock], [data-testid=stLayoutWrapper] {overflow: visible !important;
    max-height: none !important}
  [data-testid=stVerticalBlock][height] {height: auto !important}
  [data-testid=stPlotlyChart], [data-testid=stMetric], .rows tr, .strip {break-inside: avoid}
  [data-testid=stApp] .gridlayer path {stroke: #D5DDE5 !important}
  [data-testid=stApp] [data-testid=stVerticalBlock], .rows th, .rows td
    {border-color: #C5CED6 !important}
  .rows-box {overflow: visible !important}
  h1, h2, h3 {break-after: avoid}
}
"""

SCRIPT = """
if (!window.restmonPrints) {
  window.restmonPrints = true;
  const charts = () => document.querySelectorAll(".js-plotly-plot .svg-container");
  const fit = () => charts().forEach(box => {
    const w = box.clientWidth, h = box.clientHeight;
    if (!w || box.dataset.before !== undefined) return;
    box.dataset.before = box.getAttribute("style") || "";
    box.style.cssText += `;width:100%;max-width:${w}px;height:auto;aspect-ratio:${w}/${h}`;
    for (let around = box.parentElement; around && !around.matches("[data-testid=stMain]") &&
         !around.matches("[data-testid=stVerticalBlock]"); around = around.parentElement)
      around.classList.add("print-fit");
    box.querySelectorAll(":scope > svg").forEach(svg => {
      svg.setAttribute("viewBox", `0 0 ${w} ${h}`);
      svg.style.width = svg.style.height = "100%";
    });
  });
  const restore = () => charts().forEach(box => {
    if (box.dataset.before === undefined) return;
    box.setAttribute("style", box.dataset.before);
    delete box.dataset.before;
    box.querySelectorAll(":scope > svg").forEach(svg => {
      svg.removeAttribute("viewBox");
      svg.style.width = svg.style.height = "";
    });
  });
  addEventListener("beforeprint", fit);
  addEventListener("afterprint", restore);
  document.addEventListener("click", event => {
    if (!event.target.closest("a[href='#print']")) return;
    event.preventDefault();
    const root = document.querySelector("[data-testid=stApp]");
    root.style.width = "PAGE_WIDTHpx";
    const until = Date.now() + 4000;
    const printed = setInterval(() => {
      const wide = [...charts()].some(box => box.clientWidth > PAGE_WIDTH);
      if (wide && Date.now() < until) return;
      clearInterval(printed);
      print();
      root.style.width = "";
    }, 100);
  });
}
""".replace("PAGE_WIDTH", str(WIDTH))
"""Charts get the width of the paper: before the dialog opens by their own layout, so that their
text stays as large; where the browser's own menu prints, by scaling."""


def show_print_link() -> None:
    """Show a link that prints the page."""
    st.html(f'<a class="print-link no-print" href="{ADDRESS}" role="button">Print</a>')


def show_print_title(text: str) -> None:
    """Write a line that only stands on paper. ``text`` is HTML."""
    st.html(f'<p class="print-only">{text}</p>')
