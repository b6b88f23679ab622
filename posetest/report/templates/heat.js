"use strict";
// Landscapes tell the numbers of the cell under the pointer. Their axes are even in cells, not in values.
(() => {
  const tip = document.createElement("div");
  tip.className = "tip";
  tip.hidden = true;
  document.body.append(tip);
  const span = (edges, k, unit) => `${edges[k]} to ${edges[k + 1]}${unit}`;
  function told(heat, i, j) {
    const k = i * (heat.y.length - 1) + j;
    const where = `${heat.names[0].replace("_", " ")} ${span(heat.x, i, heat.unit[0])}, `
      + `${heat.names[1].replace("_", " ")} ${span(heat.y, j, heat.unit[1])}`;
    if (!heat.n[k]) return `${where}: no poses`;
    return `${where}: ${heat.rate[k]} % [${heat.low[k]}, ${heat.high[k]}], n = ${heat.n[k]}`;
  }
  for (const svg of document.querySelectorAll("svg.heat")) {
    const heat = JSON.parse(svg.dataset.heat);
    const [left, top, right, bottom] = heat.box;
    svg.addEventListener("pointermove", (event) => {
      const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
      const x = (at.x - left) / (right - left), y = (bottom - at.y) / (bottom - top);
      tip.hidden = x < 0 || x >= 1 || y < 0 || y >= 1;
      if (tip.hidden) return;
      tip.textContent = told(heat, Math.floor(x * (heat.x.length - 1)), Math.floor(y * (heat.y.length - 1)));
      tip.style.left = `${Math.min(event.pageX + 14, document.documentElement.clientWidth - tip.offsetWidth - 8)}px`;
      tip.style.top = `${event.pageY + 18}px`;
    });
    svg.addEventListener("pointerleave", () => { tip.hidden = true; });
  }
})();
