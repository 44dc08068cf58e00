// The page of the dead letters: its buttons. After each click the newest version of the page replaces this one.
import { post } from "./api.js";

const page = () => document.querySelector("[data-letters]");

async function draw() {
  const reply = await fetch(location.pathname, { headers: { Accept: "text/html" } });
  const fresh = new DOMParser().parseFromString(await reply.text(), "text/html").querySelector("[data-letters]");
  if (fresh) page().replaceWith(document.adoptNode(fresh));
}

function say(text, wrong = false) {
  const said = page().querySelector('[data-is="said"]');
  said.textContent = text;
  said.classList.toggle("wrong", wrong);
}

const letters = (count) => `${count} ${count === 1 ? "letter" : "letters"}`;

function outcome({ replayed, refused = {}, discarded, missing }) {
  const parts = [
    replayed ? `${letters(Object.keys(replayed).length)} replayed as new runs.` : `${letters(discarded.length)} discarded.`,
    ...Object.values(refused).slice(0, 1).map((why) => `${letters(Object.keys(refused).length)} cannot be replayed: ${why}.`),
    missing.length ? "The letter was gone already." : "",
  ];
  return parts.filter(Boolean).join(" ");
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-act]");
  if (!button) return;
  const { act } = button.dataset;
  const { lane } = button.closest("[data-lane]").dataset;
  const all = "all" in button.dataset;
  if (all && act === "discard" && !confirm(`Throw away every dead letter of ${lane}? They cannot be brought back.`)) return;
  say("One moment…");
  try {
    const which = all ? { all: true } : { runs: [button.closest("[data-letter]").dataset.letter] };
    const answer = await post(`/api/dead-letters/${act}`, { lane, ...which });
    await draw();
    say(outcome(answer));
  } catch (error) {
    say(error.message, true);
  }
});
