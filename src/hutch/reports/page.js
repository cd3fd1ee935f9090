// Draws each figure in the colours of the page's scheme, again when the scheme changes; saves figures; sorts tables.
(() => {
  "use strict";
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const specs = [...document.querySelectorAll("script[data-plot]")].map((script) => [
    document.getElementById(script.dataset.plot),
    JSON.parse(script.textContent),
  ]);
  const config = {
    responsive: true,
    displaylogo: false,
    displayModeBar: false,
    showTips: false,
  };
  const draw = () => {
    for (const [target, themes] of specs) {
      const { data, layout } = themes[dark.matches ? "dark" : "light"];
      Plotly.react(target, data, layout, config);
    }
  };
  draw();
  dark.addEventListener("change", draw);

  const save = (target, themes, format) => {
    const { data, layout } = themes[dark.matches ? "dark" : "light"];
    // On the page a figure lets the page shine through; a file has to bring its own ground.
    const paper = getComputedStyle(document.documentElement).getPropertyValue("--paper").trim();
    const figure = { data, layout: { ...layout, paper_bgcolor: paper } };
    const filename = `${document.title.split(" – ")[0]} ${target.id.replace("plot-", "")}`.replace(/[^\w.-]+/g, "-");
    const size = { width: Math.max(600, target.clientWidth), height: target.clientHeight, scale: 2 };
    Plotly.downloadImage(figure, { format, filename, ...size });
  };
  for (const [target, themes] of specs) {
    const bar = document.createElement("p");
    bar.className = "save";
    bar.append("save as ");
    for (const format of ["png", "svg"]) {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = format.toUpperCase();
      button.addEventListener("click", () => save(target, themes, format));
      bar.append(button);
    }
    target.parentNode.append(bar);
  }

  const key = (row, column) => {
    const cell = row.cells[column];
    return cell.dataset.value === undefined ? cell.textContent : cell.dataset.value;
  };
  // What is missing stays last in either direction.
  const compare = (sign, a, b) => {
    if (a === "" || b === "") return (a === "") - (b === "");
    const difference = Number(a) - Number(b);
    return sign * (Number.isNaN(difference) ? a.localeCompare(b) : difference);
  };
  for (const head of document.querySelectorAll("table.sortable th")) {
    head.addEventListener("click", () => {
      const sign = head.getAttribute("aria-sort") === "ascending" ? -1 : 1;
      for (const other of head.parentNode.cells) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", sign > 0 ? "ascending" : "descending");
      const body = head.closest("table").tBodies[0];
      const rows = [...body.rows].sort((a, b) => compare(sign, key(a, head.cellIndex), key(b, head.cellIndex)));
      body.append(...rows);
    });
  }
})();
