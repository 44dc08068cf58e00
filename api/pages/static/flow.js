// Cumulative flow of one lane: how many runs were accepted, started and ended, over time.
import { colours, copy, layer, moments, penFor, whenItChanges } from "./canvas.js";
import { number } from "./format.js";

const KINDS = ["accepted", "started", "ended"];
const HEIGHT = 150;

export class Flow {
  constructor(figure) {
    this.figure = figure;
    this.lane = figure.dataset.flow;
    this.canvas = document.createElement("canvas");
    figure.querySelector(".plot").append(this.canvas);
    whenItChanges(figure, () => this.repaint());
  }

  show(picture, until) {
    this.times = picture.flow[this.lane];
    this.seconds = picture.seconds;
    this.repaint();
    this.at(until ?? picture.seconds);
  }

  at(moment) {
    this.moment = moment;
    this.draw();
    for (const kind of KINDS) {
      this.figure.querySelector(`[data-now="${kind}"]`).textContent = number(before(this.times[kind], moment));
    }
  }

  // Paint the layers: after a new picture, and when the size, the theme or the font changes.
  repaint() {
    if (!this.times) return;
    this.width = this.canvas.parentElement.clientWidth;
    const ink = colours(this.figure, ["muted", "line", "lane"]);
    const most = Math.max(1, this.times.accepted.length);
    const left = 34, bottom = HEIGHT - 20, top = 8, right = this.width - 12;
    this.x = (time) => left + (time / this.seconds) * (right - left);
    const y = (count) => bottom - (count / most) * (bottom - top);
    this.ground = layer(this.width, HEIGHT, (pen) => {
      pen.font = `12px ${getComputedStyle(this.figure).fontFamily}`;
      pen.fillStyle = ink.muted;
      pen.textAlign = "right";
      pen.textBaseline = "middle";
      pen.fillText(number(most), left - 6, y(most));
      pen.fillText("0", left - 6, bottom);
      pen.textAlign = "center";
      pen.textBaseline = "top";
      for (const time of moments(this.seconds, (right - left) / this.seconds)) pen.fillText(`${time} s`, this.x(time), bottom + 5);
      pen.strokeStyle = ink.line;
      pen.strokeRect(left, top, right - left, bottom - top);
    });
    // Areas from back to front: accepted (waiting shows), started (at work shows), ended.
    const strength = { accepted: 0.18, started: 0.45, ended: 1 };
    this.areas = layer(this.width, HEIGHT, (pen) => {
      pen.fillStyle = ink.lane;
      for (const kind of KINDS) {
        pen.globalAlpha = strength[kind];
        pen.beginPath();
        pen.moveTo(this.x(0), bottom);
        let count = 0;
        for (const time of this.times[kind]) {
          pen.lineTo(this.x(time), y(count));
          pen.lineTo(this.x(time), y(++count));
        }
        pen.lineTo(right, y(count));
        pen.lineTo(right, bottom);
        pen.fill();
      }
    });
    this.draw();
  }

  draw() {
    if (!this.areas) return;
    const pen = penFor(this.canvas, this.width, HEIGHT);
    copy(pen, this.ground, this.width, HEIGHT);
    copy(pen, this.areas, this.x(this.moment), HEIGHT);
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
