// The page of one comparison: follows it while it runs, then lets the visitor replay it.
import { seconds as duration } from "./format.js";
import { post } from "./api.js";
import { Flow } from "./flow.js";
import { Swimlanes } from "./swimlanes.js";

const page = document.querySelector("[data-comparison]");
const id = page.dataset.comparison;
const player = page.querySelector("[data-player]");
const slider = player.querySelector('[data-is="time"]');
const now = player.querySelector('[data-is="now"]');
const still = matchMedia("(prefers-reduced-motion: reduce)");
const POLL = 1000; // milliseconds between two looks at a comparison that runs
const STATES = ["WAITING", "RUNNING", "ENDED"];
const ROWS = 500; // attempts in the table

const swim = new Swimlanes(page.querySelector("[data-swim]"), page.querySelector("[data-tip]"));
const flows = [...page.querySelectorAll("[data-flow]")].map((figure) => new Flow(figure));
let picture = null;
let playing = null;
let next = null; // the timer of the next look

async function look() {
  const reply = await fetch(`/api/comparisons/${id}/picture`);
  if (!reply.ok) throw Object.assign(new Error((await reply.json()).message), { refused: reply.status < 500 });
  return reply.json();
}

// ------------------------------------------------ while it runs

async function follow() {
  next = null;
  const began = performance.now();
  try {
    const found = await look();
    const { state = "ENDED" } = found; // a record says no state
    const newer = STATES.indexOf(state) - STATES.indexOf(page.dataset.state);
    if (newer > 0) return location.reload();
    if (newer === 0) { // a kept picture may be older than the page
      tell(found);
      show(found);
      if (state === "ENDED") return ready();
    }
  } catch (error) {
    if (error.refused) return refuse(error.message);
    tell(null); // the server is away; the next look finds the truth
  }
  const took = performance.now() - began;
  next = setTimeout(follow, Math.max(document.hidden ? 5 * POLL : POLL, 4 * took)); // a large picture takes its time
}

// Browsers slow down the timers of a hidden page, down to one look a minute.
document.addEventListener("visibilitychange", () => {
  if (document.hidden || next === null) return;
  clearTimeout(next);
  follow();
});

// Another question would get the same answer: the comparison was deleted, or another version has written its record.
function refuse(message) {
  const said = Object.assign(document.createElement("p"), { className: "alarm", role: "alert", textContent: message });
  swim.place.replaceChildren(said);
}

function tell(found) {
  const progress = page.querySelector('[data-is="progress"]');
  if (!progress) return;
  const text = !found ? "The API does not answer. This page tries again by itself."
    : found.state === "WAITING" ? "It waits until an earlier comparison has ended."
    : `${found.ended_jobs} of ${page.dataset.jobs} jobs have ended.`;
  if (progress.textContent !== text) progress.textContent = text;
}

function show(found) {
  picture = found;
  const until = page.dataset.state === "ENDED" ? found.seconds : undefined;
  swim.show(found, until);
  flows.forEach((flow) => flow.show(found, until));
}

// ------------------------------------------------ replay

function ready() {
  player.hidden = false;
  list();
  at(picture.seconds);
}

const steps = () => [...new Set(picture.bars.flatMap(([, , , begin, end]) => [begin, end]).concat(picture.marks.map((mark) => mark.at)))]
  .filter((time) => time !== null).sort((a, b) => a - b);

function at(time) {
  const moment = Math.max(0, Math.min(time, picture.seconds));
  slider.value = Math.round((moment / picture.seconds) * slider.max);
  now.textContent = duration(moment);
  swim.at(moment);
  flows.forEach((flow) => flow.at(moment));
  return moment;
}

function pause() {
  cancelAnimationFrame(playing);
  playing = null;
  player.querySelector('[data-do="play"]').textContent = "Play";
}

function play() {
  let moment = swim.moment >= picture.seconds ? 0 : swim.moment;
  let last = performance.now();
  const speed = () => Number(player.querySelector('[data-is="speed"]').value);
  player.querySelector('[data-do="play"]').textContent = "Pause";
  const frame = (when) => {
    moment = at(moment + ((when - last) / 1000) * speed());
    last = when;
    if (moment >= picture.seconds) pause();
    else playing = requestAnimationFrame(frame);
  };
  playing = requestAnimationFrame(frame);
}

player.addEventListener("click", (event) => {
  const what = event.target.closest("[data-do]")?.dataset.do;
  if (what === "play") {
    if (playing) pause();
    else if (still.matches) step();
    else play();
  }
  if (what === "step") step();
});

function step() {
  pause();
  const from = swim.moment >= picture.seconds ? -1 : swim.moment;
  at(steps().find((time) => time > from + 1e-4) ?? picture.seconds);
}

slider.addEventListener("input", () => {
  pause();
  at((slider.value / slider.max) * picture.seconds);
});

// ------------------------------------------------ the same as a table

function list() {
  const body = page.querySelector("[data-attempts]");
  const bars = [...picture.bars].sort((a, b) => a[3] - b[3]);
  body.replaceChildren(...bars.slice(0, ROWS).map(([worker, run, attempt, begin, end, outcome]) => {
    const row = document.createElement("tr");
    const { lane, name } = picture.workers[worker];
    const texts = [lane, name, "", attempt, duration(begin), end === null ? "–" : duration(end - begin), outcome];
    row.append(...texts.map((text, column) => {
      const cell = document.createElement("td");
      if (column === 4 || column === 5) cell.className = "n";
      if (column === 2) {
        const link = document.createElement("a");
        link.href = `/runs/${picture.runs[run].id}`;
        link.textContent = `${picture.runs[run].job} ${run + 1}`;
        cell.append(link);
      } else cell.textContent = text;
      return cell;
    }));
    return row;
  }));
  const more = page.querySelector("[data-more]");
  more.hidden = bars.length <= ROWS;
  more.textContent = `These are the first ${ROWS} of ${bars.length} attempts; attempts.csv in the record has all.`;
}

page.querySelector("[data-stop]")?.addEventListener("click", async () => {
  const said = page.querySelector('[data-is="said"]');
  said.textContent = "Stopping…";
  try {
    await post(`/api/comparisons/${id}/stop`);
  } catch (error) {
    said.textContent = error.message;
    said.classList.add("wrong");
  }
});

follow();
