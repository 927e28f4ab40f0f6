const pictures = [...document.querySelectorAll(".picture")];
const options = {
  responsive: true,
  displaylogo: false,
  modeBarButtons: [["toImage"]],
};

for (const place of pictures) {
  const figure = JSON.parse(place.querySelector("script").textContent);
  Plotly.newPlot(place, figure.data, figure.layout, options);
}

// A picture keeps the screen's width on paper unless told.
const PAPER_WIDTH = 680;
const resize = (width) => pictures.forEach((place) => Plotly.relayout(place, { width }));
addEventListener("beforeprint", () => resize(PAPER_WIDTH));
addEventListener("afterprint", () => resize(undefined));
