// A run's own page: whenever the run moves, the server's newest version of the page takes its place.
import { follow, post } from "./api.js";

let article = document.querySelector("[data-run-page]");
const id = article.dataset.runPage;
let drawing = false;

async function draw() {
  if (drawing) return;
  drawing = true;
  try {
    const reply = await fetch(location.pathname, { headers: { Accept: "text/html" } });
    if (!reply.ok) return;
    const fresh = new DOMParser().parseFromString(await reply.text(), "text/html").querySelector("[data-run-page]");
    const focused = document.activeElement?.dataset?.act;
    const said = article.querySelector('[data-is="said"]').textContent;
    const wasOpen = open();
    article.replaceWith(document.adoptNode(fresh));
    article = fresh;
    if (wasOpen && !open()) setTimeout(draw, 700); // the ledger's last lines come a moment after the end
    article.querySelector('[data-is="said"]').textContent = said;
    if (focused) article.querySelector("[data-act]")?.focus();
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
  const said = article.querySelector('[data-is="said"]');
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
