// Two charts over the last two minutes, one line per lane. Lines differ in colour and in dash; the legend has the numbers.
import { colours } from "./canvas.js";
import { number } from "./format.js";

const LANES = ["celery", "raw", "inline"];
const DASHES = { celery: [], raw: [7, 4], inline: [2, 4] };
const SECONDS = 120;
const ticks = [];

export function remember(past) {
  ticks.splice(0, ticks.length, ...past);
}

export function add(tick) {
  ticks.push(tick);
  while (ticks.length && ticks[0].at < tick.at - SECONDS - 2) ticks.shift();
}

export class Chart {
  constructor(figure) {
    this.what = figure.dataset.chart;
    this.figure = figure;
    this.place = figure.querySelector(".plot");
    new ResizeObserver(() => this.fit()).observe(this.place);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.build());
    document.documentElement.addEventListener("themechange", () => this.build());
    document.fonts.ready.then(() => this.build()); // a canvas does not redraw by itself when its font is loaded
  }

  build() {
    this.plot?.destroy();
    const ink = colours(this.figure, ["muted", "line", ...LANES]);
    const axis = {
      stroke: ink.muted,
      font: '12px "Inter Variable", system-ui, sans-serif',
      grid: { stroke: ink.line, width: 1 },
      ticks: { show: false },
    };
    this.plot = new uPlot(
      {
        ...this.size(),
        padding: [10, 14, 0, 0],
        cursor: { drag: { x: false, y: false }, points: { size: 7 } },
        legend: { show: false },
        scales: {
          x: { time: true, range: () => [this.now() - SECONDS, this.now()] },
          y: { range: (_plot, _low, high) => [0, Math.max(4, high * 1.1)] },
        },
        axes: [
          { ...axis, size: 30, space: 70, values: (_plot, splits) => splits.map((at) => ago(this.now() - at)), splits: () => this.minutes() },
          { ...axis, size: 46, values: (_plot, splits) => splits.map((value) => (Number.isInteger(value) ? number(value) : "")) },
        ],
        series: [
          {},
          ...LANES.map((lane) => ({
            stroke: ink[lane],
            width: 2,
            dash: DASHES[lane],
            points: { show: false },
            spanGaps: false,
          })),
        ],
      },
      this.data(),
      this.place,
    );
    this.draw();
  }

  now() {
    return ticks.at(-1)?.at ?? Date.now() / 1000;
  }

  minutes() {
    return [120, 90, 60, 30, 0].map((seconds) => this.now() - seconds);
  }

  size() {
    return { width: this.place.clientWidth || 300, height: 170 };
  }

  fit() {
    this.plot?.setSize(this.size());
  }

  data() {
    const known = ticks.flatMap((tick, i) => {
      const gap = i > 0 && tick.at - ticks[i - 1].at > 4; // no page was open: leave a gap, draw no line across
      return gap ? [{ at: tick.at - 1, [this.what]: {} }, tick] : [tick];
    });
    return [known.map((tick) => tick.at), ...LANES.map((lane) => known.map((tick) => tick[this.what][lane] ?? null))];
  }

  draw() {
    this.plot?.setData(this.data());
    const newest = ticks.at(-1)?.[this.what];
    for (const lane of LANES) {
      const value = newest?.[lane]; // undefined: not measured yet
      const shown = this.what === "depth" && lane === "inline" ? "none" : value === null ? "no answer" : value;
      this.figure.querySelector(`[data-now="${lane}"]`).textContent =
        typeof shown === "number" ? number(shown) : shown ?? "–";
    }
  }
}

function ago(seconds) {
  const rounded = Math.round(seconds / 30) * 30;
  return rounded === 0 ? "now" : `−${rounded} s`;
}
