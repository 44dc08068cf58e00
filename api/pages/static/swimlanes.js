// Swimlanes: a row for each worker, a bar for each attempt. Lines join the attempts of one run, marks show the faults.
import { colours, copy, layer, moments, penFor, whenItChanges } from "./canvas.js";
import { seconds as duration } from "./format.js";

const ROW = 22, BAR = 14, HEAD = 26, AXIS = 26, TOP = 30;
const BAD = new Set(["lost", "cut off"]);

export class Swimlanes {
  constructor(place, tip) {
    this.place = place;
    this.tip = tip;
    this.canvas = place.querySelector("canvas");
    this.moment = 0;
    this.chosen = null; // the place of a bar in `bars`
    whenItChanges(place, () => this.repaint());
    this.canvas.addEventListener("pointermove", (event) => this.choose(this.find(event.offsetX, event.offsetY)));
    this.canvas.addEventListener("pointerleave", () => this.choose(null));
    place.addEventListener("keydown", (event) => this.onKey(event));
    place.addEventListener("blur", () => this.choose(null));
  }

  // `until` is the moment to show; undefined while the comparison runs.
  show(picture, until) {
    this.picture = picture;
    this.order = picture.bars.map((_, place) => place).sort((a, b) => picture.bars[a][3] - picture.bars[b][3]);
    this.ofRun = new Map();
    for (const place of this.order) {
      const run = picture.bars[place][1];
      if (!this.ofRun.has(run)) this.ofRun.set(run, []);
      this.ofRun.get(run).push(place);
    }
    this.moment = until ?? picture.seconds;
    this.repaint();
  }

  at(moment) {
    this.moment = moment;
    this.draw();
  }

  // ------------------------------------------------ places

  measure() {
    const { workers, seconds } = this.picture;
    this.width = this.place.clientWidth;
    this.left = Math.min(150, Math.max(128, this.width * 0.3)); // the name of a lane and most names of workers fit
    this.rows = [];
    let y = TOP, lane = null;
    for (const worker of workers) {
      if (worker.lane !== lane) y += HEAD;
      lane = worker.lane;
      this.rows.push(y);
      y += ROW;
    }
    this.height = y + AXIS;
    this.bottom = y + 4;
    this.scale = (this.width - this.left - 12) / Math.max(seconds, 0.001);
  }

  x(time) {
    return this.left + time * this.scale;
  }

  end(bar, moment) {
    return Math.min(bar[4] ?? this.picture.seconds, moment);
  }

  find(x, y) {
    if (!this.picture) return null;
    const row = this.rows.findIndex((top) => y >= top && y < top + ROW);
    if (row < 0) return null;
    let nearest = null, distance = 5; // pixels beside a bar that still count
    for (const place of this.order) {
      const bar = this.picture.bars[place];
      if (bar[0] !== row || bar[3] > this.moment) continue;
      const off = Math.max(this.x(bar[3]) - x, x - this.x(this.end(bar, this.moment)), 0);
      if (off < distance) [nearest, distance] = [place, off];
    }
    return nearest;
  }

  // ------------------------------------------------ the chosen attempt

  choose(place) {
    if (place === this.chosen) return;
    this.chosen = place;
    this.draw();
    this.tip.hidden = place === null;
    if (place === null) return;
    const [worker, run, attempt, begin, end, outcome] = this.picture.bars[place];
    const { id, job } = this.picture.runs[run];
    const took = end === null ? "" : `, for ${duration(end - begin)}`;
    this.tip.textContent = `${job}, run ${id.slice(-6)}, attempt ${attempt}, on \u2068${this.picture.workers[worker].name}\u2069: ` +
      `${outcome}. It began at ${duration(begin)}${took}.`;
  }

  onKey(event) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (event.key === "Enter" && this.chosen !== null) {
      location.assign(`/runs/${this.picture.runs[this.picture.bars[this.chosen][1]].id}`);
    }
    if (!step || !this.order?.length) return;
    event.preventDefault();
    const here = this.chosen === null ? (step > 0 ? -1 : this.order.length) : this.order.indexOf(this.chosen);
    this.choose(this.order[Math.max(0, Math.min(this.order.length - 1, here + step))]);
  }

  // ------------------------------------------------ drawing

  // Paint the layers: after a new picture, and when the size, the theme or the font changes.
  repaint() {
    if (!this.picture) return;
    this.measure();
    this.ink = colours(this.place, ["celery", "raw", "inline", "ink", "soft", "muted", "line", "trouble", "card"]);
    this.ground = layer(this.width, this.height, (pen) => this.grid(this.prepared(pen)));
    this.bars = layer(this.width, this.height, (pen) => {
      for (const places of this.ofRun.values()) this.joins(pen, places, this.ink.muted, Infinity);
      for (const place of this.order) this.bar(pen, this.picture.bars[place], Infinity);
    });
    this.draw();
  }

  prepared(pen) {
    pen.font = `13px ${this.font ??= getComputedStyle(this.place).fontFamily}`;
    pen.textBaseline = "middle";
    return pen;
  }

  draw() {
    if (!this.bars) return;
    const { width, height, picture, moment } = this;
    const pen = this.prepared(penFor(this.canvas, width, height));
    copy(pen, this.ground, width, height);
    const run = this.chosen === null ? null : picture.bars[this.chosen][1];
    pen.globalAlpha = run === null ? 1 : 0.25;
    copy(pen, this.bars, moment < picture.seconds ? this.x(moment) : width, height);
    for (const place of this.order) {
      const bar = picture.bars[place];
      if (bar[3] > moment) break;
      if (bar[4] !== null && bar[4] > moment) this.bar(pen, bar, moment); // it is still at work at this moment
    }
    pen.globalAlpha = 1;
    if (run !== null) {
      this.joins(pen, this.ofRun.get(run), this.ink.ink, moment);
      for (const place of this.ofRun.get(run)) this.bar(pen, picture.bars[place], moment, true);
    }
    this.marks(pen);
  }

  grid(pen) {
    const { workers, seconds } = this.picture;
    pen.strokeStyle = this.ink.line;
    pen.fillStyle = this.ink.muted;
    pen.textAlign = "center";
    for (const time of moments(seconds, this.scale)) {
      const x = Math.round(this.x(time)) + 0.5;
      pen.beginPath();
      pen.moveTo(x, TOP);
      pen.lineTo(x, this.bottom);
      pen.stroke();
      pen.fillText(`${time} s`, x, this.bottom + 13);
    }
    pen.textAlign = "left";
    workers.forEach(({ lane, name }, row) => {
      const y = this.rows[row];
      if (row === 0 || workers[row - 1].lane !== lane) {
        pen.fillStyle = this.ink[lane];
        pen.font = pen.font.replace(/^(\d+ )?/, "600 ");
        pen.fillText({ celery: "Celery", raw: "RabbitMQ by hand", inline: "Inline" }[lane], 2, y - HEAD / 2 + 2);
        pen.font = pen.font.replace(/^600 /, "");
      }
      pen.fillStyle = this.ink.soft;
      pen.fillText(shortened(pen, name, this.left - 14), 2, y + ROW / 2);
    });
  }

  // A line from the end of an attempt to the next attempt of the same run, in the places of `bars`.
  joins(pen, places, colour, moment) {
    const { bars } = this.picture;
    pen.lineWidth = 1.3;
    pen.strokeStyle = colour;
    for (let next = 1; next < places.length; next++) {
      const from = bars[places[next - 1]], to = bars[places[next]];
      if (to[3] > moment) break;
      const [x1, y1, x2, y2] = [this.x(this.end(from, moment)), this.rows[from[0]] + ROW / 2, this.x(to[3]), this.rows[to[0]] + ROW / 2];
      pen.beginPath();
      pen.moveTo(x1, y1);
      const reach = Math.max(14, (x2 - x1) / 2);
      pen.bezierCurveTo(x1 + reach, y1, x2 - reach, y2, x2, y2);
      pen.stroke();
    }
    pen.lineWidth = 1;
  }

  // An attempt as it was at a moment.
  bar(pen, bar, moment, isChosen = false) {
    const [worker, , , begin, finished] = bar;
    if (begin > moment) return;
    const outcome = finished === null || finished > moment ? "open" : bar[5];
    const x = this.x(begin), y = this.rows[worker] + (ROW - BAR) / 2;
    const width = Math.max(2, this.x(this.end(bar, moment)) - x - 1);
    pen.fillStyle = pen.strokeStyle = outcome === "failed" ? this.ink.trouble : this.ink[this.picture.workers[worker].lane];
    if (outcome === "done" || outcome === "failed") pen.fillRect(x, y, width, BAR);
    else {
      const strength = pen.globalAlpha;
      pen.clearRect(x, y, width, BAR); // of the layer, which has the bar as it ended
      pen.globalAlpha = strength * (outcome === "open" ? 0.55 : 0.22);
      pen.fillRect(x, y, width, BAR);
      pen.globalAlpha = strength;
      pen.strokeRect(x + 0.5, y + 0.5, Math.max(1, width - 1), BAR - 1);
    }
    if (outcome === "failed" || BAD.has(outcome)) cross(pen, x + width, y + BAR / 2, BAD.has(outcome) ? this.ink.trouble : this.ink.card);
    if (!isChosen) return;
    pen.strokeStyle = this.ink.ink;
    pen.lineWidth = 2;
    pen.strokeRect(x - 1, y - 1, width + 2, BAR + 2);
    pen.lineWidth = 1;
  }

  marks(pen) {
    pen.textAlign = "left";
    let free = 0;
    for (const mark of this.picture.marks) {
      if (mark.at > this.moment) continue;
      const x = this.x(mark.at);
      pen.strokeStyle = pen.fillStyle = this.ink.trouble;
      pen.setLineDash([4, 3]);
      pen.beginPath();
      pen.moveTo(x, 18);
      pen.lineTo(x, this.bottom);
      pen.stroke();
      pen.setLineDash([]);
      const text = mark.what;
      if (x >= free) {
        const at = Math.min(x + 4, this.width - pen.measureText(text).width - 4);
        pen.fillText(text, at, 10);
        free = at + pen.measureText(text).width + 10;
      }
    }
  }
}

function cross(pen, x, y, colour) {
  pen.strokeStyle = colour;
  pen.lineWidth = 2;
  pen.beginPath();
  for (const [a, b] of [[-4, -4], [-4, 4]]) {
    pen.moveTo(x + a, y + b);
    pen.lineTo(x - a, y - b);
  }
  pen.stroke();
  pen.lineWidth = 1;
}

// A name that fits into `room` pixels: without its middle if it is long. The end says which of the workers it is.
function shortened(pen, text, room) {
  if (pen.measureText(text).width <= room) return text;
  const end = text.match(/[^\p{L}]*$/u)[0].slice(-8);
  let begin = text.slice(0, text.length - end.length);
  while (begin.length > 1 && pen.measureText(`${begin}…${end}`).width > room) begin = begin.slice(0, -1);
  return `${begin}…${end}`;
}
