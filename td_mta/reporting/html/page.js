const charts = [...document.querySelectorAll(".chart")];
const options = {
  responsive: true,
  displaylogo: false,
  modeBarButtons: [["toImage"]],
};

for (const chart of charts) {
  const figure = JSON.parse(chart.querySelector("script").textContent);
  Plotly.newPlot(chart, figure.data, figure.layout, options);
}

// On paper a chart would keep the screen's width.
const PAPER_WIDTH = 680;
const resize = (width) => charts.forEach((chart) => Plotly.relayout(chart, { width }));
addEventListener("beforeprint", () => resize(PAPER_WIDTH));
addEventListener("afterprint", () => resize(undefined));
