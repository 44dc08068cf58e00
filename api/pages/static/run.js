// A run's own page: whenever the run moves, what has changed on the page is exchanged, and nothing else. So a selection,
// the focus and what was unfolded stay where they are.
import { follow, post } from "./api.js";

const article = document.querySelector("[data-run-page]");
const id = article.dataset.runPage;
const said = article.querySelector('[data-is="said"]');
let drawing = false;

// The visitor's own: what was said to them, and what they have unfolded.
const KEEP = {
  beforeNodeMorphed: (node) => node !== said,
  beforeAttributeUpdated: (name, node) => !(name === "open" && node.localName === "details"),
};

async function draw() {
  if (drawing) return;
  drawing = true;
  try {
    const reply = await fetch(location.pathname, { headers: { Accept: "text/html" } });
    if (!reply.ok) return;
    const fresh = new DOMParser().parseFromString(await reply.text(), "text/html").querySelector("[data-run-page]");
    const wasOpen = open();
    Idiomorph.morph(article, fresh, { callbacks: KEEP });
    if (wasOpen && !open()) setTimeout(draw, 700); // the ledger's last lines come a moment after the end
  } catch {
    // the server is away; the next message draws again
  } finally {
    drawing = false;
  }
}

const open = () => article.dataset.ended === "0";

document.addEventListener("click", async (event) => {
  const act = event.target.closest("[data-act]")?.dataset.act;
  if (!act) return;
  said.classList.remove("wrong");
  said.textContent = act === "retry" ? "Sending…" : "Cancelling…";
  try {
    const answer = await post(`/api/runs/${id}/${act}`);
    if (act === "retry") location.assign(`/runs/${answer.runs[0].id}`);
    else said.textContent = "Cancelled. A worker that is already at it goes on, but nothing of it is kept.";
  } catch (error) {
    said.textContent = error.message;
    said.classList.add("wrong");
  }
});

let first = true;
follow(
  { run: id },
  {
    rows: () => {
      if (!first || open()) draw();
      first = false;
    },
    tick: () => { if (open()) draw(); },
  },
);
