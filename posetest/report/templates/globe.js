// The globes of an object: one row for each model, turned together, one cell looked at in all of them.
const KEY_TURN = 10 * RAD;
const TAP_PX = 5;

class Explorer {
  constructor(box) {
    this.box = box;
    this.data = JSON.parse(box.querySelector(".globe-data").textContent);
    this.sheet = box.querySelector("img.sheet");
    this.share = lookup(this.data);
    this.turn = [30 * RAD, 15 * RAD]; // as the object's canonical picture shows it
    this.at = anglesToDirection(...this.turn); // what is looked at
    this.isHeld = false;
    this.mode = makeMode(this.data, "recognised", 0);
    this.rows = [
      ...this.data.models.map((model) => this.row(model, model.name)),
      ...this.data.differences.map((d, k) => this.row(d, `${this.data.models[d.first].name} ${MINUS} ${this.data.models[d.second].name}`, k)),
    ];
    this.scale = element("div", { class: "scale" });
    this.caption = element("p", { class: "caption mode" });
    const about = element("p", { class: "caption" }, "Equal-area cells of the direction from which the camera sees the object, all poses, "
      + "on an orthographic globe and a Mollweide map. Front is the object's front; right is the side on the viewer's right when the front faces the viewer. "
      + (this.data.tiles ? "The picture is one pose of the cell; its turn in the picture plane, its size and place vary as sampled. " : "")
      + `Measure: ${this.data.measure}.`);
    this.live = element("div", { class: "live" }, this.controls(), ...this.rows.map((row) => row.node), this.scale, this.caption, about);
    box.append(this.live);
    box.classList.add("is-live");
    new ResizeObserver(() => this.draw()).observe(this.live);
    // a page of many objects has more bitmaps than a phone has memory for: only those near the window are kept
    new IntersectionObserver((entries) => {
      this.isNear = entries.at(-1).isIntersecting;
      if (this.isNear) this.draw();
      else for (const row of this.rows) for (const view of row.views) view.release();
    }, { rootMargin: "400px" }).observe(this.live);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw());
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && this.isHeld) this.look(this.at, false);
    });
    this.changeMode("recognised", 0);
  }

  row(shown, name, difference = -1) {
    const { nside } = this.data[difference < 0 ? "cells" : "wide"];
    const node = element("article", { class: difference < 0 ? "seen" : "seen difference" });
    const head = element("header", {}, element("b", {}, name));
    node.append(head);
    if (shown.total === 0) {
      node.append(element("p", { class: "empty" }, "no evaluated poses"));
      return { node, difference, shown, views: [] };
    }
    if (shown.total) head.append(` ${shareWords(this.share(shown.recognised.reduce((a, b) => a + b, 0), shown.total))} recognised`);
    const note = shown.note ?? `n = ${count(shown.n.reduce((a, b) => a + b, 0))} poses that both evaluated, percentage points`;
    head.append(element("span", { class: "ci" }, note));
    const views = [
      new SphereView("globe", `Globe of ${this.data.scene}, ${name}: arrow keys turn it, Home shows the front`, nside),
      new SphereView("flat", `Map of ${this.data.scene}, ${name}: arrow keys go from cell to cell`, nside),
    ];
    const card = new Card(this, shown);
    node.append(...views.map((view) => element("div", { class: `${view.kind}-box` }, view.canvas)), card.node);
    for (const view of views) this.listen(view);
    return { node, difference, shown, views, card };
  }

  controls() {
    const { shown, differences, models } = this.data;
    const several = (d) => `${models[d.first].name} ${MINUS} ${models[d.second].name}`;
    const choices = [
      ["recognised", "recognised"], ["confidence", "confidence"], ["entropy", "entropy"],
      ["label", "read as", shown.map((label) => label || "(no name)")], ["difference", "difference", differences.map(several)],
    ];
    const set = element("fieldset", { class: "modes" }, element("legend", {}, "show"));
    const group = `mode-${document.querySelectorAll("fieldset.modes").length}`;
    for (const [name, words, options] of choices) {
      if (options && !options.length) continue;
      const radio = element("input", { type: "radio", name: group, value: name });
      radio.checked = name === "recognised";
      const choice = element("label", {}, radio, element("span", {}, words));
      const select = options ? element("select", { "aria-label": name === "label" ? "label" : "models" }, ...options.map((option, k) => element("option", { value: k }, option))) : null;
      const apply = () => this.changeMode(name, select ? Number(select.value) : 0);
      radio.addEventListener("change", apply);
      set.append(choice);
      if (!select) continue;
      select.hidden = options.length < 2 && name === "difference";
      select.addEventListener("change", () => {
        radio.checked = true;
        apply();
      });
      set.append(select);
    }
    const hint = element("span", { class: "hint" }, "Drag a globe to turn all. Point at a cell for its numbers; click to hold it, again or Esc to let go. Arrow keys work on both.");
    return element("div", { class: "controls" }, set, hint);
  }

  changeMode(name, number) {
    this.mode = makeMode(this.data, name, number);
    this.grid = this.data[name === "difference" ? "wide" : "cells"];
    for (const row of this.rows) row.node.hidden = (name === "difference") !== (row.difference >= 0) || (name === "difference" && row.difference !== number);
    this.scale.replaceChildren(...this.legend());
    this.caption.textContent = this.mode.caption;
    this.look(this.at, this.isHeld);
  }

  legend() {
    const { mode } = this;
    const colors = element("div", { class: "ramp" });
    colors.style.background = `linear-gradient(to right, ${mode.colors.join(", ")})`;
    const ticks = element("div", { class: "ticks" });
    for (let k = 0; k <= 4; k++) ticks.append(element("span", {}, String(mode.tick(mode.low + (k / 4) * (mode.top - mode.low)))));
    return [element("div", { class: "bar-box" }, colors, ticks), element("span", { class: "no-poses" }, "no poses")];
  }

  // Looks in a direction, at the cell that it is in, in all rows.
  look(at, isHeld) {
    const cell = directionToCell(at, this.grid.nside);
    [this.at, this.cell, this.isHeld] = [at, cell, isHeld];
    for (const row of this.rows) if (row.card && !row.node.hidden) row.card.show(cell, this.mode, isHeld);
    this.draw();
  }

  turnTo(azimuth, elevation) {
    this.turn = [azimuth - TURN * Math.round(azimuth / TURN), Math.min(Math.max(elevation, -Math.PI / 2), Math.PI / 2)];
    this.gliding = null;
    this.draw();
  }

  // Turns there within a quarter of a second, the shorter way round.
  glideTo(azimuth, elevation) {
    const [from, start] = [this.turn, performance.now()];
    const by = [azimuth - from[0] - TURN * Math.round((azimuth - from[0]) / TURN), elevation - from[1]];
    const isStill = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const step = (now) => {
      const part = isStill ? 1 : Math.min(Math.max((now - start) / 250, 0), 1);
      const eased = part * part * (3 - 2 * part);
      if (this.gliding !== step) return; // turned otherwise meanwhile
      this.turnTo(from[0] + eased * by[0], from[1] + eased * by[1]);
      this.gliding = step;
      if (part < 1) requestAnimationFrame(step);
    };
    this.gliding = step;
    step(start);
  }

  draw() {
    if (this.isAsked || !this.isNear) return;
    this.isAsked = true;
    requestAnimationFrame(() => {
      this.isAsked = false;
      for (const row of this.rows) {
        if (row.node.hidden) continue;
        const picture = { cell: this.cell, color: (cell) => this.mode.color(row.shown, cell), mark: this.mode.mark };
        for (const view of row.views) view.draw(this.turn, picture);
      }
    });
  }

  listen(view) {
    const { canvas } = view;
    const under = (event) => view.pick(event.offsetX, event.offsetY);
    const cellOf = (v) => directionToCell(v, this.grid.nside);
    let start = null;
    canvas.addEventListener("pointerdown", (event) => {
      start = { x: event.clientX, y: event.clientY, turn: this.turn, isDrag: false };
      canvas.setPointerCapture(event.pointerId);
    });
    canvas.addEventListener("pointermove", (event) => {
      if (!start) {
        const v = this.isHeld ? null : under(event);
        if (v && cellOf(v) !== this.cell) this.look(v, false);
        return;
      }
      const [dx, dy] = [event.clientX - start.x, event.clientY - start.y];
      start.isDrag ||= Math.hypot(dx, dy) > TAP_PX;
      // what is at the centre follows the pointer: a radius is a radian
      if (start.isDrag && view.kind === "globe") this.turnTo(start.turn[0] - dx / view.radius, start.turn[1] + dy / view.radius);
    });
    canvas.addEventListener("pointerup", (event) => {
      const v = start && !start.isDrag ? under(event) : null;
      start = null;
      if (!v) return;
      const isAgain = this.isHeld && cellOf(v) === this.cell;
      this.look(v, !isAgain);
      if (view.kind !== "globe" && !isAgain) this.glideTo(...directionToAngles(v));
    });
    canvas.addEventListener("pointercancel", () => { start = null; });
    canvas.addEventListener("keydown", (event) => this.key(event, view));
  }

  key(event, view) {
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
    if (event.key === "Home") this.turnTo(0, 0);
    else if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      this.look(this.at, !this.isHeld);
      return;
    } else if (!step) return;
    else if (view.kind === "globe") this.turnTo(this.turn[0] + step[0] * KEY_TURN, this.turn[1] + step[1] * KEY_TURN);
    else this.turnTo(...this.neighbour(step));
    event.preventDefault();
    this.look(anglesToDirection(...this.turn), this.isHeld);
  }

  // The angles of the next cell's centre that way; the same where there is none.
  neighbour([across, up]) {
    const { nside } = this.grid;
    const { centre } = cellsOf(nside)[this.cell];
    const [azimuth, elevation] = directionToAngles(centre);
    for (let k = 1; k <= 40; k++) {
      const by = (k * 10 * RAD) / nside;
      const tilt = Math.min(Math.max(elevation + up * by, -Math.PI / 2), Math.PI / 2);
      const cell = directionToCell(anglesToDirection(azimuth + across * by, tilt), nside);
      if (cell !== this.cell) return directionToAngles(cellsOf(nside)[cell].centre);
    }
    return [azimuth, elevation];
  }
}

for (const box of document.querySelectorAll(".directions")) {
  if (box.querySelector(".globe-data")) new Explorer(box);
}
