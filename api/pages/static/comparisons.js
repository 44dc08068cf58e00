// Buttons that start a preset and open the page of its comparison.
import { post } from "./api.js";

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-start]");
  if (!button) return;
  const name = button.dataset.start;
  const said = (button.closest("section") ?? document).querySelector('[data-is="said"]');
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
