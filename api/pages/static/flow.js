// Cumulative flow of one lane: how many runs were accepted, started and ended, over time.
import { colours, moments, penFor, whenItChanges } from "./canvas.js";
import { number } from "./format.js";

const KINDS = ["accepted", "started", "ended"];
const HEIGHT = 150;

export class Flow {
  constructor(figure) {
    this.figure = figure;
    this.lane = figure.dataset.flow;
    this.canvas = document.createElement("canvas");
    figure.querySelector(".plot").append(this.canvas);
    whenItChanges(figure, () => this.draw());
  }

  show(picture, until) {
    this.times = picture.flow[this.lane];
    this.seconds = picture.seconds;
    this.at(until ?? picture.seconds);
  }

  at(moment) {
    this.moment = moment;
    this.draw();
    for (const kind of KINDS) {
      this.figure.querySelector(`[data-now="${kind}"]`).textContent = number(before(this.times[kind], moment));
    }
  }

  draw() {
    if (!this.times) return;
    const { canvas } = this;
    const width = canvas.parentElement.clientWidth;
    const pen = penFor(canvas, width, HEIGHT);
    const ink = colours(this.figure, ["muted", "line", "lane"]);
    const most = Math.max(1, this.times.accepted.length);
    const left = 34, bottom = HEIGHT - 20, top = 8, right = width - 12;
    const x = (time) => left + (time / this.seconds) * (right - left);
    const y = (count) => bottom - (count / most) * (bottom - top);
    pen.font = `12px ${getComputedStyle(this.figure).fontFamily}`;
    pen.fillStyle = ink.muted;
    pen.textAlign = "right";
    pen.textBaseline = "middle";
    pen.fillText(number(most), left - 6, y(most));
    pen.fillText("0", left - 6, bottom);
    pen.textAlign = "center";
    pen.textBaseline = "top";
    for (const time of moments(this.seconds, (right - left) / this.seconds)) pen.fillText(`${time} s`, x(time), bottom + 5);
    pen.strokeStyle = ink.line;
    pen.strokeRect(left, top, right - left, bottom - top);
    // Areas from back to front: accepted (waiting shows), started (at work shows), ended.
    const strength = { accepted: 0.18, started: 0.45, ended: 1 };
    for (const kind of KINDS) {
      pen.globalAlpha = strength[kind];
      pen.fillStyle = ink.lane;
      pen.beginPath();
      pen.moveTo(x(0), bottom);
      let count = 0;
      for (const time of this.times[kind]) {
        if (time > this.moment) break;
        pen.lineTo(x(time), y(count));
        pen.lineTo(x(time), y(++count));
      }
      pen.lineTo(x(this.moment), y(count));
      pen.lineTo(x(this.moment), bottom);
      pen.fill();
    }
    pen.globalAlpha = 1;
  }
}

function before(times, moment) {
  let low = 0, high = times.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (times[middle] <= moment) low = middle + 1;
    else high = middle;
  }
  return low;
}
