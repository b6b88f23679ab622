// What a globe may show: for each mode the value of a cell, its colour, the scale and the caption.
const THIN = "\u202f";
const MINUS = "\u2212";

// Numbers come rounded as everywhere in the report: shares in tenths of percent, means in hundredths; null: none.
const tenths = (value) => (value / 10).toFixed(1).replace("-", MINUS);
const hundredths = (value) => (value / 100).toFixed(2);
const percent = (value) => (value === null ? "–" : `${tenths(value)}${THIN}%`);
const bounds = (low, high, words) => (low === null ? "" : `[${words(low)}, ${words(high)}]`);
const count = (value) => value.toLocaleString("en-US");
const degrees = (value) => `${tenths(value)}°`;

// Blue over pale grey to orange: told apart by readers of any colour vision, and the middle is no difference.
const DIVERGING = ["#084a7e", "#2f7fba", "#8fbfdf", "#efefec", "#f3b96f", "#d97b12", "#8a4300"];
const channels = (text) => (text.startsWith("#")
  ? [1, 3, 5].map((k) => parseInt(text.slice(k, k + 2), 16)) : text.match(/\d+/g).map(Number));

// A colour scale through equally spaced colours, for values 0 to 1.
function ramp(colors) {
  const stops = colors.map(channels);
  return (value) => {
    const at = Math.min(Math.max(value, 0), 1) * (stops.length - 1);
    const low = Math.min(Math.floor(at), stops.length - 2);
    const mixed = stops[low].map((part, k) => Math.round(part + (at - low) * (stops[low + 1][k] - part)));
    return `rgb(${mixed.join(",")})`;
  };
}
// The static maps' own colours, taken from the page's definitions.
const shareColors = () => [...document.querySelectorAll("#scale stop")].map((stop) => stop.getAttribute("stop-color"));

// A count with its share and 95 % interval, as the analysis gave it.
function lookup(data) {
  const told = new Map(data.shares.map(([k, n, rate, low, high]) => [`${k}/${n}`, { k, n, rate, low, high }]));
  return (k, n) => told.get(`${k}/${n}`) ?? { k, n, rate: null, low: null, high: null };
}
const shareWords = (s) => `${percent(s.rate)} ${bounds(s.low, s.high, tenths)}`.trim();
const meanWords = ([mean, known], cell, unit = "") =>
  mean[cell] === null ? "–" : `${hundredths(mean[cell])}${unit} ${bounds(...(known[cell] ?? [null, null]), hundredths)}`.trim();

const roundUp = (value, steps) => steps.find((step) => value <= step + 1e-9) ?? steps.at(-1);
const largest = (lists) => lists.flat().reduce((most, value) => (value !== null && value > most ? value : most), 0);
const aboutMeans = (data) => `Cells of at least ${data.fewest} poses have an interval (95 %).`;

// A mode: { models (what is shown: of one or of the difference), value(shown, cell) or null, low, top, ticks, words,
// colors, caption }. Its cells without poses have no value.
const MODES = {
  recognised: () => ({
    value: (m, cell) => (m.n[cell] ? m.recognised[cell] / m.n[cell] : null),
    low: 0, top: 1, tick: (v) => `${Math.round(100 * v)}${THIN}%`,
    caption: "Share of the poses of each cell that are recognised, with 95 % Wilson intervals for each cell by itself.",
  }),
  confidence: (data) => ({
    value: (m, cell) => (m.n[cell] ? m.confidence[0][cell] / 100 : null),
    low: 0, top: 1, tick: (v) => v.toFixed(2),
    caption: `Mean probability of the first label, right or wrong. ${aboutMeans(data)}`,
  }),
  entropy: (data) => {
    const most = largest(data.models.filter((m) => m.total).map((m) => m.entropy[0])) / 100;
    return {
      value: (m, cell) => (m.n[cell] ? m.entropy[0][cell] / 100 : null),
      low: 0, top: roundUp(most, [0.5, 1, 2, 3, 4, 5, 6, 7, 8, 10, 15, 20]), tick: (v) => +v.toFixed(2),
      caption: `Mean entropy of the predicted distribution in nats: 0 where all probability is on one label. ${aboutMeans(data)}`,
    };
  },
  label: (data, number) => {
    const shares = data.models.filter((m) => m.total).map((m) => m.read[number].map((k, cell) => (m.n[cell] ? k / m.n[cell] : 0)));
    return {
      value: (m, cell) => (m.n[cell] ? m.read[number][cell] / m.n[cell] : null),
      low: 0, top: roundUp(largest(shares), [0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1]), tick: (v) => `${+(100 * v).toFixed(2)}${THIN}%`,
      caption: `Share of the poses of each cell that are misread as “${data.shown[number]}”, with 95 % Wilson intervals. The scale ends above the largest share.`,
    };
  },
  difference: (data, number) => {
    const d = data.differences[number];
    const [first, second] = [d.first, d.second].map((k) => data.models[k].name);
    const most = d.difference.reduce((top, v) => (v === null ? top : Math.max(top, Math.abs(v))), 0) / 1000;
    const top = roundUp(most, [0.1, 0.2, 0.4, 0.6, 0.8, 1]);
    const [some, sure] = [1, 2].map((level) => d.differs.filter((v) => v >= level).length);
    return {
      value: (_, cell) => (d.n[cell] ? d.difference[cell] / 1000 : null),
      low: -top, top, colors: DIVERGING, tick: (v) => `${v > 0 ? "+" : ""}${Math.round(100 * v)}`.replace("-", MINUS),
      mark: (cell) => d.differs[cell],
      caption: `Recognition rate of ${first} minus that of ${second} on the same poses, percentage points: orange where ${first} `
        + `recognises more, blue where ${second} does. A dot marks a cell that differs (exact McNemar test; Benjamini and `
        + `Hochberg over the cells with poses, false discovery rate at most 5 %): ${count(some)} of ${count(d.n.filter((n) => n > 0).length)}; `
        + `a ring, by Holm too (chance of any false one at most 5 %): ${count(sure)}. Intervals (95 %, paired) are of each cell by itself.`
        + (data.wide.nside < data.cells.nside ? " Cells are larger than in the other maps: of few poses no difference could be told." : ""),
    };
  },
};

function makeMode(data, name, number) {
  const mode = { colors: shareColors(), mark: () => 0, ...MODES[name](data, number), name, number };
  const scale = ramp(mode.colors);
  mode.color = (shown, cell) => {
    const value = mode.value(shown, cell);
    return value === null ? null : scale((value - mode.low) / (mode.top - mode.low));
  };
  return mode;
}
