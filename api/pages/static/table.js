// The table of runs: its rows follow the messages of /api/live for this page's query.
import { age, seconds } from "./format.js";

const LANES = { celery: "Celery", raw: "RabbitMQ", inline: "Inline" };
const body = document.querySelector("[data-rows]");
const blank = document.getElementById("blank-row").content.querySelector("tr");
const empty = document.querySelector("[data-empty]");
const older = document.querySelector("[data-older]");
const PAGE_ROWS = 50;

const lines = new Map([...body.rows].map((line) => [line.dataset.run, line]));

// `rows` are the changed runs, `ids` the ids of all rows in order.
export function update({ rows, ids }) {
  for (const run of rows) {
    let line = lines.get(run.id);
    if (!line) {
      line = blank.cloneNode(true);
      line.dataset.run = run.id;
      line.dataset.state = run.state;
      line.classList.add("new");
      lines.set(run.id, line);
    }
    fill(line, run);
  }
  const wanted = new Set(ids);
  for (const [id, line] of lines) {
    if (!wanted.has(id)) {
      line.remove();
      lines.delete(id);
    }
  }
  ids.forEach((id, place) => {
    const line = lines.get(id);
    if (line && body.rows[place] !== line) body.insertBefore(line, body.rows[place] ?? null);
  });
  empty.hidden = ids.length > 0;
  const more = ids.length === PAGE_ROWS;
  older.hidden = !more;
  if (more) {
    const query = new URLSearchParams(location.search);
    query.set("before", ids.at(-1));
    older.href = `/?${query}#runs`;
  }
}

function fill(line, run) {
  const part = (name) => line.querySelector(`[data-is="${name}"]`);
  const lane = line.querySelector(".lane");
  lane.className = `lane lane-${run.lane}`;
  lane.querySelector("use").setAttribute("href", `#m-${run.lane}`);
  part("lane").textContent = LANES[run.lane];
  part("job").textContent = run.job;
  part("job").href = `/runs/${run.id}`;
  part("call").textContent = `(${run.call})`;
  const state = line.querySelector(".state");
  if (line.dataset.state !== run.state) pulse(state);
  line.dataset.state = run.state;
  state.className = `state state-${run.state}`;
  state.querySelector("use").setAttribute("href", `#i-${run.state}`);
  part("state").textContent = run.state.replace("_", " ");
  part("attempt").textContent = `${run.attempt}/${run.max_attempts}`;
  part("worker").textContent = run.worker ?? "–";
  part("latency").textContent = run.finished_at === null ? "–" : seconds(run.finished_at - run.accepted_at);
  line.dataset.accepted = run.accepted_at;
  part("age").textContent = age(run.accepted_at);
  part("age").dateTime = new Date(run.accepted_at * 1000).toISOString();
}

function pulse(element) {
  if (matchMedia("(prefers-reduced-motion: reduce)").matches) return;
  element.animate([{ transform: "scale(1.08)" }, { transform: "scale(1)" }], { duration: 350, easing: "ease-out" });
}

export function growOlder() {
  for (const line of lines.values()) {
    const cell = line.querySelector('[data-is="age"]');
    const text = age(Number(line.dataset.accepted));
    if (cell.textContent !== text) cell.textContent = text;
  }
}
