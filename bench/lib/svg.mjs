// Curves as SVG: plain lines over a logarithmic axis, without a library.

const WIDTH = 640;
const HEIGHT = 320;
const MARGIN = { top: 40, right: 130, bottom: 48, left: 64 };
const COLOURS = ["#1f6feb", "#d1570b", "#2a8a3e", "#8250df", "#57606a"];

const escaped = (text) => text.replace(/[&<>]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;" })[c]);
const number = (value) => value.toLocaleString("en-US", { maximumSignificantDigits: 3 });

/** A round step of which at most six reach `max`. */
function stepTo(max) {
  const power = 10 ** Math.floor(Math.log10(max));
  return [0.1, 0.2, 0.5, 1, 2, 5].map((part) => part * power).find((step) => max / step <= 6);
}

/** `series` are `{ name, points: [[x, y], …] }`; x is logarithmic, y begins at 0. */
export function chart({ title, x, y, series }) {
  const xs = [...new Set(series.flatMap(({ points }) => points.map(([at]) => at)))].sort((a, b) => a - b);
  const step = stepTo(Math.max(...series.flatMap(({ points }) => points.map(([, value]) => value))));
  const top = step * Math.ceil(Math.max(...series.flatMap(({ points }) => points.map(([, v]) => v))) / step);
  const [first, last] = [Math.log(xs[0]), Math.log(xs.at(-1))];
  const inner = { width: WIDTH - MARGIN.left - MARGIN.right, height: HEIGHT - MARGIN.top - MARGIN.bottom };
  const atX = (value) =>
    (MARGIN.left + (inner.width * (Math.log(value) - first)) / (last - first || 1)).toFixed(1);
  const atY = (value) => (MARGIN.top + inner.height * (1 - value / top)).toFixed(1);

  const grid = Array.from({ length: Math.round(top / step) + 1 }, (_, n) => n * step).flatMap((value) => [
    `<line x1="${MARGIN.left}" x2="${MARGIN.left + inner.width}" y1="${atY(value)}" y2="${atY(value)}" stroke="#d0d7de"/>`,
    `<text x="${MARGIN.left - 8}" y="${atY(value)}" dy="4" text-anchor="end">${number(value)}</text>`,
  ]);
  const ticks = xs.map(
    (value) =>
      `<text x="${atX(value)}" y="${MARGIN.top + inner.height + 18}" text-anchor="middle">${number(value)}</text>`,
  );
  const lines = series.flatMap(({ name, points }, n) => {
    const colour = COLOURS[n % COLOURS.length];
    const path = points.map(([at, value]) => `${atX(at)},${atY(value)}`).join(" ");
    const dots = points.map(
      ([at, value]) => `<circle cx="${atX(at)}" cy="${atY(value)}" r="3" fill="${colour}"/>`,
    );
    return [
      `<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="2"/>`,
      ...dots,
      `<text x="${MARGIN.left + inner.width + 10}" y="${MARGIN.top + 14 + n * 18}" fill="${colour}">${escaped(name)}</text>`,
    ];
  });
  const bottom = HEIGHT - 10;
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#ffffff"/>`,
    `<text x="${MARGIN.left}" y="22" font-size="14" font-weight="bold">${escaped(title)}</text>`,
    `<text x="${WIDTH - MARGIN.right}" y="${bottom}" text-anchor="end">${escaped(x)}</text>`,
    `<text x="${MARGIN.left - 8}" y="28" text-anchor="end">${escaped(y)}</text>`,
    ...grid,
    ...ticks,
    ...lines,
    "</svg>",
  ].join("\n")}\n`;
}
