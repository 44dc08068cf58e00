// The page with the lanes: keeps its counters, charts and runs up to date.
import { follow } from "./api.js";
import * as charts from "./charts.js";
import * as filters from "./filters.js";
import { number } from "./format.js";
import { prepare } from "./forms.js";
import * as table from "./table.js";

document.querySelectorAll("[data-send]").forEach(prepare);

const drawn = [...document.querySelectorAll("[data-chart]")].map((figure) => new charts.Chart(figure));
const connection = document.querySelector("[data-connection]");

// Runs per state, under the headings of the panels. api/pages/display.py does the same when the page is rendered.
const COUNTERS = {
  waiting: (of) => of.PENDING,
  working: (of) => of.IN_PROGRESS,
  retrying: (of) => of.RETRYING,
  done: (of) => of.DONE,
  failed: (of) => of.FAILED,
  dropped: (of) => of.EXPIRED + of.REVOKED,
};

function count(totals) {
  for (const [lane, of] of Object.entries(totals)) {
    const panel = document.querySelector(`[data-panel="${lane}"]`);
    for (const [name, sum] of Object.entries(COUNTERS)) {
      const cell = panel.querySelector(`[data-count="${name}"]`);
      const text = number(sum(of));
      if (cell.textContent !== text) cell.textContent = text;
    }
  }
}

filters.prepare(document.querySelector("[data-filters]"));

function warn(unserved) {
  for (const [lane, sentence] of Object.entries(unserved)) {
    const note = document.querySelector(`[data-panel="${lane}"] [data-unserved]`);
    if (note.textContent !== sentence) note.textContent = sentence;
    note.hidden = !sentence;
  }
}

const query = [...new URLSearchParams(location.search)].filter(
  ([name, value]) => value && ["lane", "state", "job", "before"].includes(name),
);
follow(
  query,
  {
    rows: table.update,
    history: ({ ticks }) => {
      charts.remember(ticks);
      drawn.forEach((chart) => chart.draw());
    },
    tick: (tick) => {
      charts.add(tick);
      drawn.forEach((chart) => chart.draw());
      count(tick.totals);
      warn(tick.unserved);
      table.growOlder();
    },
  },
  (open) => {
    connection.textContent = open ? "live" : "reconnecting…";
    connection.classList.toggle("lost", !open);
  },
);
