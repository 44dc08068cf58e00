// The forms that send jobs: their fields fit the chosen job, and the answer appears beside the button.
import { post } from "./api.js";

const HOW = ["job", "priority", "countdown", "count"];
const LANES = { celery: "Celery", raw: "RabbitMQ", inline: "Inline" };

export function prepare(form) {
  const is = (name) => form.querySelector(`[data-is="${name}"]`);
  const lane = form.dataset.send;

  const kept = new Kept(`form-${lane}`);

  function show() {
    const job = is("job").value;
    is("args").replaceChildren(fieldsOf(job, lane));
    for (const field of fields(form)) field.value = kept.args[job]?.[field.dataset.arg] ?? field.value;
    const highest = is("job").selectedOptions[0].dataset.priorities;
    is("priority").max = highest;
    is("priorities").textContent = `0–${highest}`;
    if (Number(is("priority").value) > Number(highest)) is("priority").value = highest;
  }

  for (const name of HOW) is(name).value = kept.how[name] ?? is(name).value;
  if (is("job").selectedIndex >= 0) show();
  else is("job").value = is("job").querySelector("[selected]").value; // the stored job is no longer in the catalogue

  form.addEventListener("input", (event) => {
    if (event.target === is("job")) {
      show();
      say(form, "");
    } else if ("arg" in event.target.dataset) {
      kept.args[is("job").value] = Object.fromEntries(fields(form).map((field) => [field.dataset.arg, field.value]));
    }
    kept.how = Object.fromEntries(HOW.map((name) => [name, is(name).value]));
    kept.save();
  });

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = form.querySelector("button[type=submit]");
    if (button.ariaDisabled === "true") return;
    let body;
    try {
      body = read(form, is);
    } catch (error) {
      say(form, error.message, true);
      error.field?.focus();
      return;
    }
    button.ariaDisabled = "true"; // not `disabled`, because the focus must stay on the button
    say(form, lane === "inline" ? "Working inside the request…" : "Sending…");
    await (lane === "all" ? toAll(form, body) : toOne(form, body, lane));
    button.ariaDisabled = null;
  });
}

export const fields = (form) => [...form.querySelectorAll("[data-arg]")];

// The filled-in values. They stay while the browser's tab is open: a filter, or a run and Back, loads the page again.
class Kept {
  constructor(name) {
    this.name = name;
    let found = {};
    try { found = JSON.parse(sessionStorage.getItem(name)) ?? {}; } catch { /* storage may be forbidden */ }
    this.how = found.how ?? {};
    this.args = found.args ?? {}; // by job
  }

  save() {
    try { sessionStorage.setItem(this.name, JSON.stringify({ how: this.how, args: this.args })); } catch { /* then nothing is kept */ }
  }
}

async function toOne(form, body, lane) {
  try {
    const { runs } = await post("/api/runs", { ...body, lane });
    say(form, lane === "inline" ? executed(runs) : `${times(runs)} accepted.`);
  } catch (error) {
    say(form, error.message, true);
  }
}

// Send to all lanes at the same moment. The inline lane answers after the jobs, the others at once.
async function toAll(form, body) {
  const said = {};
  const tell = (lane, text, wrong) => {
    said[lane] = { text, wrong };
    const sentences = Object.keys(LANES).filter((name) => said[name]).map((name) => `${LANES[name]}: ${said[name].text}`);
    say(form, sentences.join(" "), Object.values(said).some((each) => each.wrong));
  };
  await Promise.all(Object.keys(LANES).map(async (lane) => {
    const inline = lane === "inline";
    if (inline) tell(lane, body.countdown ? "cannot wait, so it starts at once…" : "working inside the request…");
    try {
      const { runs } = await post("/api/runs", { ...body, lane, countdown: inline ? 0 : body.countdown });
      tell(lane, inline ? executed(runs) : `${times(runs)} accepted.`);
    } catch (error) {
      tell(lane, error.message, true);
    }
  }));
}

const times = (runs) => (runs.length === 1 ? "1 run" : `${runs.length} runs`);

function executed(runs) {
  const done = runs.filter((run) => run.state === "DONE").length;
  return done === runs.length ? `${times(runs)} done, and you waited.` : `${done} of ${times(runs)} done, and you waited.`;
}

export const fieldsOf = (job, at) => copyOf(`template[data-args-of="${job}"]`, at);

// A copy of a template. Its ids begin with `at` in the place of AT, so that they are unique.
export function copyOf(template, at) {
  const copy = document.querySelector(template).content.cloneNode(true);
  for (const element of copy.querySelectorAll("[id],[for]")) {
    for (const name of ["id", "for"]) {
      if (element.hasAttribute(name)) element.setAttribute(name, element.getAttribute(name).replace(/^AT/, at));
    }
  }
  return copy;
}

// Throws an Error for the first field with an invalid value. The server checks the rest.
export function check(form) {
  for (const field of form.elements) {
    field.ariaInvalid = null;
    if (!field.checkValidity()) throw mistake(field, field.validationMessage);
  }
}

export function mistake(field, text) {
  field.ariaInvalid = "true";
  const label = field.labels[0]?.firstChild.textContent.trim() || "A field";
  return Object.assign(new Error(`${label}: ${text}`), { field });
}

// The arguments in the fields of a job.
export function argsOf(form) {
  const args = {};
  for (const field of fields(form)) {
    if (field.value !== "" || field.required) args[field.dataset.arg] = convert(field);
    else if ("null" in field.dataset) args[field.dataset.arg] = null;
    // else the job has a default
  }
  return args;
}

function read(form, is) {
  check(form);
  return {
    job: is("job").value,
    args: argsOf(form),
    priority: Number(is("priority").value),
    countdown: Number(is("countdown").value),
    count: Number(is("count").value),
  };
}

function convert(field) {
  switch (field.dataset.type) {
    case "integer":
    case "number":
      return Number(field.value);
    case "json":
      try {
        return JSON.parse(field.value);
      } catch {
        throw mistake(field, "write it as JSON");
      }
    default:
      return field.value;
  }
}

export function say(form, text, wrong = false) {
  const said = form.querySelector('[data-is="said"]');
  said.textContent = text;
  said.classList.toggle("wrong", wrong);
}
