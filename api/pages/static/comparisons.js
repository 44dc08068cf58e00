// The page of all comparisons: its buttons start a preset and open its page.
import { post } from "./api.js";

const said = document.querySelector('[data-is="said"]');

document.addEventListener("click", async (event) => {
  const name = event.target.closest("[data-start]")?.dataset.start;
  if (!name) return;
  said.classList.remove("wrong");
  said.textContent = "Starting…";
  try {
    const reply = await fetch("/api/comparisons/presets");
    const { presets } = await reply.json();
    const made = await post("/api/comparisons", presets[name].request);
    location.assign(`/comparisons/${made.id}`);
  } catch (error) {
    said.textContent = error.message;
    said.classList.add("wrong");
  }
});
