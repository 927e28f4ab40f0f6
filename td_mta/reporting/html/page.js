const charts = [...document.querySelectorAll(".chart")];
const options = {
  responsive: true,
  displaylogo: false,
  modeBarButtons: [["toImage"]],
};
const inDark = matchMedia("(prefers-color-scheme: dark)");

// Figures are drawn for a light page; `dark` has what a dark one shows in place of each colour.
function recoloured(text) {
  for (const [light, other] of Object.entries(dark)) {
    text = text
      .replaceAll(`"${light}"`, `"${other}"`)
      .replaceAll(`color:${light}\\"`, `color:${other}\\"`);
  }
  return text;
}

function draw(isDark) {
  for (const chart of charts) {
    const text = chart.querySelector("script").textContent;
    const figure = JSON.parse(isDark ? recoloured(text) : text);
    const background = isDark ? "rgba(0,0,0,0)" : "#fff";
    const layout = { ...figure.layout, paper_bgcolor: background, plot_bgcolor: background };
    Plotly.react(chart, figure.data, layout, options);
  }
}

draw(inDark.matches);
inDark.addEventListener("change", (event) => draw(event.matches));

// On paper a chart would keep the screen's width and colours.
const PAPER_WIDTH = 680;
const resize = (width) => charts.forEach((chart) => Plotly.relayout(chart, { width }));
addEventListener("beforeprint", () => { draw(false); resize(PAPER_WIDTH); });
addEventListener("afterprint", () => { draw(inDark.matches); resize(undefined); });
