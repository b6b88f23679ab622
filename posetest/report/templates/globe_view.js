// Two ways to show the sphere of viewing directions on a canvas: a globe that turns, and a Mollweide map.
const PLACES = [
  ["front", [0, 0, 1]], ["right", [1, 0, 0]], ["back", [0, 0, -1]], ["left", [-1, 0, 0]],
  ["top", [0, 1, 0]], ["bottom", [0, -1, 0]],
];
const MERIDIANS = [-135, -90, -45, 0, 45, 90, 135, 180].map((azimuth) =>
  Array.from({ length: 37 }, (_, k) => anglesToDirection(azimuth * RAD, (5 * k - 90) * RAD)));
const PARALLELS = [-60, -30, 0, 30, 60].map((elevation) =>
  Array.from({ length: 73 }, (_, k) => anglesToDirection((5 * k - 180) * RAD, elevation * RAD)));

// Seen from outside, from a direction: what is to the right, up, and towards the viewer, as coordinates of a vector.
// Azimuth +90 lies to the right of the front, as +x does where the front faces the viewer.
function globeAxes(azimuth, elevation) {
  const [sa, ca, se, ce] = [Math.sin(azimuth), Math.cos(azimuth), Math.sin(elevation), Math.cos(elevation)];
  return [[ca, 0, -sa], [-se * sa, ce, -se * ca], [ce * sa, se, ce * ca]];
}
const dot = (a, b) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];

class SphereView {
  constructor(kind, label, nside) {
    this.kind = kind;
    this.cells = cellsOf(nside);
    this.nside = nside;
    this.canvas = document.createElement("canvas");
    this.canvas.className = kind;
    this.canvas.tabIndex = 0;
    this.canvas.setAttribute("role", "application");
    this.canvas.setAttribute("aria-label", label);
    this.canvas.textContent = label;
    this.release();
  }

  // Gives the bitmap's memory back, until the next drawing.
  release() {
    this.canvas.width = this.canvas.height = 0;
  }

  // Fits the bitmap to the size and the pixels that the canvas has on the page; false where it is not shown.
  fit() {
    const { clientWidth, clientHeight } = this.canvas;
    if (!clientWidth || !clientHeight) return false;
    const ratio = Math.min(window.devicePixelRatio || 1, 2);
    const [width, height] = [Math.round(clientWidth * ratio), Math.round(clientHeight * ratio)];
    if (this.canvas.width !== width || this.canvas.height !== height) Object.assign(this.canvas, { width, height });
    this.ratio = ratio;
    this.centre = [clientWidth / 2, clientHeight / 2];
    this.radius = this.kind === "globe" ? Math.min(clientWidth, clientHeight) / 2 - 3
      : Math.min(clientWidth / 4 - 1, clientHeight / 2 - 19);
    return true;
  }

  // turn: [azimuth, elevation] of the globe's centre. picture: { color(cell) or null, mark(cell), cell }.
  draw(turn, picture) {
    if (!this.fit()) return;
    this.axes = globeAxes(...turn);
    const ink = getComputedStyle(this.canvas);
    const color = (name) => ink.getPropertyValue(name).trim();
    const pen = this.canvas.getContext("2d");
    pen.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    pen.clearRect(0, 0, this.canvas.width, this.canvas.height);
    pen.lineJoin = "round";
    pen.save();
    this.outline(pen);
    pen.fillStyle = hatching(pen, color("--void"), color("--hatch"));
    pen.fill();
    pen.clip();
    this.cells.forEach((cell, k) => {
      const fill = picture.color(k);
      if (fill === null || !this.trace(pen, cell)) return;
      pen.fillStyle = pen.strokeStyle = fill;
      pen.lineWidth = 0.7; // no seams between neighbours
      pen.fill();
      pen.stroke();
    });
    this.graticule(pen);
    this.cells.forEach((cell, k) => this.mark(pen, cell.centre, picture.mark(k)));
    pen.restore();
    this.outline(pen);
    pen.strokeStyle = color("--soft");
    pen.lineWidth = 0.9;
    pen.stroke();
    if (picture.cell >= 0 && this.trace(pen, this.cells[picture.cell])) {
      for (const [style, width] of [[color("--paper"), 4.5], [color("--ink"), 2]]) {
        pen.strokeStyle = style;
        pen.lineWidth = width;
        pen.stroke();
      }
    }
    this.words(pen, color, ink.fontFamily);
  }

  outline(pen) {
    const [x, y] = this.centre;
    pen.beginPath();
    pen.ellipse(x, y, this.radius * (this.kind === "globe" ? 1 : 2), this.radius, 0, 0, TURN);
  }

  // Makes a cell the current path; false where nothing of it is seen.
  trace(pen, cell) {
    pen.beginPath();
    if (this.kind === "globe") {
      const seen = cell.edge.map((v) => this.axes.map((axis) => dot(axis, v)));
      if (seen.every((p) => p[2] <= 0)) return false;
      // what lies behind is drawn on the rim, so that a cell ends there
      this.polygon(pen, seen.map(([a, b, c]) => {
        const scale = c < 0 ? 1 / Math.max(Math.hypot(a, b), 1e-9) : 1;
        return [a * scale, b * scale];
      }));
      return true;
    }
    cell.map ??= this.onMap(cell);
    for (const points of cell.map) this.polygon(pen, points);
    return true;
  }

  // A cell at the back is cut by the map's ends and lies at both: it is drawn twice, and clipped.
  onMap(cell) {
    const [middle] = directionToAngles(cell.centre);
    const angles = cell.edge.map((v) => {
      const [azimuth, elevation] = directionToAngles(v);
      return [middle + ((azimuth - middle + 3 * Math.PI) % TURN) - Math.PI, elevation];
    });
    const beyond = angles.map(([azimuth]) => azimuth);
    const shifts = [0];
    if (Math.max(...beyond) > Math.PI) shifts.push(-TURN);
    if (Math.min(...beyond) < -Math.PI) shifts.push(TURN);
    return shifts.map((shift) => angles.map(([azimuth, elevation]) => mollweide(azimuth + shift, elevation)));
  }

  polygon(pen, points) {
    points.forEach(([x, y], k) => pen[k ? "lineTo" : "moveTo"](...this.place(x, y)));
    pen.closePath();
  }

  place(x, y) {
    return [this.centre[0] + x * this.radius, this.centre[1] - y * this.radius];
  }

  // Where a direction is on the canvas; null where it is not seen.
  project(v) {
    if (this.kind !== "globe") return this.place(...mollweide(...directionToAngles(v)));
    const [a, b, c] = this.axes.map((axis) => dot(axis, v));
    return c < 0.05 ? null : this.place(a, b);
  }

  // The direction under a point of the canvas, CSS pixels from its upper left corner; null beside the sphere.
  pick(x, y) {
    const [a, b] = [(x - this.centre[0]) / this.radius, (this.centre[1] - y) / this.radius];
    if (this.kind !== "globe") return mollweideToDirection(a, b);
    const depth = 1 - a * a - b * b;
    if (depth < 0) return null;
    const seen = [a, b, Math.sqrt(depth)];
    return [0, 1, 2].map((k) => seen[0] * this.axes[0][k] + seen[1] * this.axes[1][k] + seen[2] * this.axes[2][k]);
  }

  graticule(pen) {
    // pale for dark cells, and a dark thread within for pale ones
    for (const line of [...MERIDIANS, ...PARALLELS]) {
      let isDrawing = false;
      pen.beginPath();
      for (const v of line) {
        const at = this.project(v);
        if (at) pen[isDrawing ? "lineTo" : "moveTo"](...at);
        isDrawing = at !== null;
      }
      for (const [style, width] of [["rgba(255, 255, 255, 0.3)", 1.1], ["rgba(0, 0, 0, 0.2)", 0.5]]) {
        pen.strokeStyle = style;
        pen.lineWidth = width;
        pen.stroke();
      }
    }
  }

  // 1: a dot, 2: a ringed dot.
  mark(pen, centre, level) {
    const at = level ? this.project(centre) : null;
    if (!at) return;
    const size = Math.min(Math.max(this.radius / this.nside / 14, 1.6), 4);
    pen.beginPath();
    pen.arc(...at, size, 0, TURN);
    pen.fillStyle = "#111111";
    pen.fill();
    pen.strokeStyle = "#ffffff";
    pen.lineWidth = 1;
    pen.stroke();
    if (level < 2) return;
    pen.beginPath();
    pen.arc(...at, size + 2.4, 0, TURN);
    pen.strokeStyle = "#111111";
    pen.lineWidth = 1.3;
    pen.stroke();
  }

  words(pen, color, family) {
    pen.textAlign = "center";
    pen.textBaseline = "middle";
    const write = (word, x, y, isStrong) => {
      pen.font = `${isStrong ? "600 12px" : "11.5px"} ${family}`;
      pen.strokeStyle = color("--paper");
      pen.lineWidth = 3.5;
      if (this.kind === "globe") pen.strokeText(word, x, y);
      pen.fillStyle = color(isStrong || this.kind === "globe" ? "--ink" : "--soft");
      pen.fillText(word, x, y);
    };
    if (this.kind === "globe") {
      pen.font = `600 12px ${family}`;
      for (const [word, v] of PLACES) {
        const at = dot(this.axes[2], v) > 0.12 ? this.project(v) : null;
        if (!at) continue;
        const half = pen.measureText(word).width / 2 + 3; // words at the rim stay whole
        const x = Math.min(Math.max(at[0], half), 2 * this.centre[0] - half);
        if (word === "front") {
          pen.beginPath();
          pen.arc(...at, 4, 0, TURN);
          pen.fillStyle = color("--paper");
          pen.strokeStyle = color("--ink");
          pen.lineWidth = 2;
          pen.fill();
          pen.stroke();
        }
        write(word, x, Math.max(at[1] + (word === "front" ? 14 : 0), 8), word === "front");
      }
      return;
    }
    const [x, y] = this.centre;
    write("top", x, y - this.radius - 9);
    write("bottom", x, y + this.radius + 9);
    for (const [word, at] of [["back", -1.86], ["left", -1], ["right", 1], ["back", 1.86]]) {
      write(word, x + at * this.radius, y + this.radius + 9);
    }
    const front = this.project([0, 0, 1]);
    pen.beginPath();
    pen.arc(...front, 3.5, 0, TURN);
    pen.fillStyle = color("--paper");
    pen.strokeStyle = color("--ink");
    pen.lineWidth = 1.8;
    pen.fill();
    pen.stroke();
  }
}

// Diagonal lines: here are no poses.
function hatching(pen, ground, line) {
  const tile = document.createElement("canvas");
  tile.width = tile.height = 8;
  const brush = tile.getContext("2d");
  brush.fillStyle = ground;
  brush.fillRect(0, 0, 8, 8);
  brush.strokeStyle = line;
  brush.lineWidth = 1.2;
  for (const x of [-8, 0, 8]) {
    brush.beginPath();
    brush.moveTo(x, 8);
    brush.lineTo(x + 8, 0);
    brush.stroke();
  }
  return pen.createPattern(tile, "repeat");
}
