// The form for a comparison of one's own: it sends the request, shows the command that does the same, and keeps what
// is typed while the browser's tab is open.
import { post } from "./api.js";
import { say } from "./forms.js";
import * as own from "./own-fields.js";

const PAUSE = 200; // milliseconds after the last key, before the server is asked for the command
const STORE = "own-comparison-1"; // another number when a draft gets another form
const { form, is } = own;
const card = form.closest("details");
const button = form.querySelector("button[type=submit]");
const copied = is("copied");
let timer = null;
let question = 0;

// ------------------------------------------------ what is typed

function stored() {
  try { return JSON.parse(sessionStorage.getItem(STORE)); } catch { return null; } // storage may be forbidden
}

function keep() {
  try { sessionStorage.setItem(STORE, JSON.stringify({ ...own.draft(), isOpen: card.open })); } catch { /* then nothing is kept */ }
  clearTimeout(timer);
  timer = setTimeout(showCommand, PAUSE);
}

form.addEventListener("input", () => {
  own.arrange();
  keep();
});

form.addEventListener("click", (event) => {
  const { add, remove, copy } = event.target.closest("button")?.dataset ?? {};
  if (add) own.focus(own.add(add));
  else if (remove !== undefined) own.remove(event.target.closest("li"));
  else if (copy !== undefined) return copyCommand();
  else return;
  own.arrange();
  keep();
});

// ------------------------------------------------ the command

async function showCommand() {
  if (!card.open) return;
  const mine = ++question;
  const found = await asked().catch((error) => ({ message: error.message }));
  if (mine !== question) return; // something was typed meanwhile
  is("command").textContent = found.command ?? `It stands here when each field is right. ${found.message}`;
  is("command").dataset.right = found.command ? "yes" : "no";
  copied.textContent = "";
}

const asked = async () => post("/api/comparisons/command", own.request());

async function copyCommand() {
  getSelection().selectAllChildren(is("command"));
  const done = await navigator.clipboard?.writeText(is("command").textContent).then(() => true, () => false);
  copied.textContent = done ? "Copied." : "It is selected: copy it with your keyboard.";
}

card.addEventListener("toggle", keep);

// ------------------------------------------------ the start

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  if (button.ariaDisabled === "true") return;
  button.ariaDisabled = "true"; // not `disabled`, because the focus must stay on the button
  say(form, "Starting…");
  try {
    const made = await post("/api/comparisons", own.request());
    location.assign(`/comparisons/${made.id}`);
  } catch (error) {
    say(form, error.message, true);
    error.field?.focus();
    button.ariaDisabled = null;
  }
});

addEventListener("pageshow", () => {
  button.ariaDisabled = null;
  say(form, "");
});

// ------------------------------------------------ the beginning

const wanted = form.dataset.fill;
const earlier = stored();
if (wanted) own.restore(own.drafted(JSON.parse(wanted)));
else if (earlier) own.restore(earlier);
else own.add("jobs");
own.arrange();
if (earlier?.isOpen || location.hash === "#own") card.open = true;
if (location.search) { // the address has filled the form; what is typed from now on survives another loading of the page
  keep();
  history.replaceState(null, "", location.pathname);
  is("name").focus();
}
