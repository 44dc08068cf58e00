// A run's own page. After each change of the run only the changed parts of the page are replaced. So a selection, the
// focus and unfolded texts stay.
import { follow, post } from "./api.js";

const article = document.querySelector("[data-run-page]");
const id = article.dataset.runPage;
const said = article.querySelector('[data-is="said"]');
let drawing = false;

// Parts that belong to the visitor: the last answer, and the unfolded texts.
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
    if (wasOpen && !open()) setTimeout(draw, 700); // the ledger's last events come a moment after the end
  } catch {
    // the server is away; the next message draws the page again
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
    else said.textContent = "Cancelled. If a worker was executing it, that process is killed.";
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
