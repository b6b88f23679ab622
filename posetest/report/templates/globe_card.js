// What is known of one cell: its numbers, and one of its poses with what the model answered to that.
// Names come from files of strangers: they only ever become text.
function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

function replayLine(pose) {
  const code = element("code");
  pose.split(",").forEach((entry, k, all) => {
    code.append(k < all.length - 1 ? `${entry},` : entry);
    if (k < all.length - 1) code.append(element("wbr"));
  });
  const button = element("button", { type: "button", "data-copy": pose, "aria-label": "copy the replay string" }, "copy");
  return element("p", { class: "replay" }, code, button);
}

class Card {
  constructor(explorer, shown) {
    this.explorer = explorer;
    this.shown = shown; // a model, or a difference
    this.node = element("div", { class: "card", "aria-live": "polite", "aria-atomic": "true" });
  }

  show(cell, mode, isHeld) {
    const { grid } = this.explorer;
    const key = [cell, mode.name, mode.number, isHeld].join();
    if (key === this.key) return;
    this.key = key;
    const place = element("p", { class: "place" }, `azimuth ${degrees(grid.azimuth[cell])}, elevation ${degrees(grid.elevation[cell])}`);
    if (isHeld) place.append(element("span", { class: "held" }, "held"));
    const body = element("div", { class: "told" }, place, this.numbers(cell, mode));
    const pictured = this.picture(cell);
    this.node.replaceChildren(...[pictured?.image, body, pictured?.words].filter(Boolean));
  }

  numbers(cell, mode) {
    const list = element("dl");
    const tell = (name, words, note = "") => {
      const value = element("dd", {}, words);
      if (note) value.append(element("span", { class: "ci" }, ` ${note}`));
      list.append(element("dt", {}, name), value);
    };
    if (mode.name === "difference") this.compare(cell, tell);
    else this.describe(cell, mode, tell);
    return list;
  }

  describe(cell, mode, tell) {
    const [m, { data, share }] = [this.shown, this.explorer];
    const n = m.n[cell];
    if (!n) {
      tell("poses", "none here");
      return;
    }
    tell("recognised", shareWords(share(m.recognised[cell], n)), `n = ${count(n)}`);
    tell("confidence", meanWords(m.confidence, cell), "mean");
    if (mode.name === "entropy") tell("entropy", meanWords(m.entropy, cell, " nats"), "mean");
    if (mode.name === "label") {
      tell(`read as ${data.shown[mode.number]}`, shareWords(share(m.read[mode.number][cell], n)), `${count(m.read[mode.number][cell])} of ${count(n)}`);
    } else if (m.wrong[cell] >= 0) {
      tell("mostly misread as", element("b", {}, m.labels[m.wrong[cell]] || "(no name)"), shareWords(share(m.times[cell], n)));
    } else tell("misread", "none");
  }

  compare(cell, tell) {
    const [d, { data, share }] = [this.shown, this.explorer];
    const n = d.n[cell];
    if (!n) {
      tell("poses", "none here");
      return;
    }
    const sign = d.difference[cell] > 0 ? "+" : "";
    tell(data.models[d.first].name, shareWords(share(d.both[cell] + d.only_first[cell], n)), `n = ${count(n)}`);
    tell(data.models[d.second].name, shareWords(share(d.both[cell] + d.only_second[cell], n)), `n = ${count(n)}`);
    tell("difference", `${sign}${tenths(d.difference[cell])} ${bounds(d.low[cell], d.high[cell], tenths)}`, `points; ${count(d.only_first[cell])} poses against ${count(d.only_second[cell])}`);
    const verdict = ["no finding", "differs, by the first", "differs, by both"][d.differs[cell]];
    const [p, hochberg, holm] = d.p[`${d.only_first[cell]}/${d.only_second[cell]}`];
    tell("p", `${p}`, `over all cells ${hochberg} (Benjamini–Hochberg), ${holm} (Holm): ${verdict}`);
  }

  // The cell's small picture and what was answered to it; null where there is none.
  picture(cell) {
    const { data, sheet, grid } = this.explorer;
    const tiles = data.tiles;
    if (!tiles || (this.shown.n && !this.shown.n[cell])) return null;
    const isOwn = grid.tile[cell] >= 0;
    const number = isOwn ? grid.tile[cell] : -2 - grid.tile[cell];
    const from = `azimuth ${degrees(tiles.azimuth[number])}, elevation ${degrees(tiles.elevation[number])}`;
    const words = element("div", { class: "pose" });
    const models = this.shown.answers ? [this.shown] : [data.models[this.shown.first], data.models[this.shown.second]];
    for (const m of models) words.append(this.answer(m, number, models.length > 1));
    words.append(element("p", { class: "ci" }, `pose ${tiles.index[number]}${isOwn ? "" : ", the nearest kept"}, from ${from}`));
    if (tiles.pose[number]) words.append(replayLine(tiles.pose[number]));
    if (!sheet) return { image: null, words };
    const image = element("canvas", { class: "tile", width: tiles.size, height: tiles.size, role: "img", "aria-label": `${data.scene}, pose ${tiles.index[number]}` });
    const paint = () => image.getContext("2d").drawImage(sheet, tiles.x[number], tiles.y[number], tiles.size, tiles.size, 0, 0, tiles.size, tiles.size);
    if (sheet.complete) paint();
    else sheet.addEventListener("load", paint, { once: true });
    return { image, words };
  }

  answer(m, number, isNamed) {
    const { label, labels, p, recognised } = m.answers;
    const line = element("p", { class: "answer" });
    if (isNamed) line.append(`${m.name}: `);
    if (recognised[number] === null) line.append("not evaluated");
    else {
      line.append(element("b", {}, labels[label[number]] || "(no name)"), ` ${hundredths(p[number])} `);
      line.append(element("span", { class: recognised[number] ? "right" : "wrong" }, recognised[number] ? "✓ recognised" : "✗ misread"));
    }
    return line;
  }
}
