// The fields of the form for a comparison of one's own: rows that come and go, and the request that they make.
//
// A draft is what stands in the fields, as text. A request is what the API takes.
import { argsOf, check, copyOf, fields, fieldsOf, mistake } from "./forms.js";

export const form = document.querySelector("[data-own]");
export const is = (name, within = form) => within.querySelector(`[data-is="${name}"]`);

const VALUES = ["name", "count", "arrivals", "per_second", "burst", "every", "priorities", "countdown", "deadline"];
const CONDITION = ["at", "what", "lane", "workers", "calls", "seconds"];
let made = 0;

const rows = (list) => [...is(list).children];
const chosen = (select) => select.selectedOptions[0];
const lanes = () => [...form.querySelectorAll("[data-lane-choice]")];
const valuesOf = (names, within) => Object.fromEntries(names.map((name) => [name, is(name, within).value]));
const fill = (values, within) => {
  for (const [name, value] of Object.entries(values)) is(name, within).value = value;
};

// ------------------------------------------------ rows

export function add(list) {
  is(list).append(copyOf(`template[data-row-of="${list}"]`, `own-${++made}`));
  const row = is(list).lastElementChild;
  if (list === "jobs") {
    const job = is("job", row);
    const show = () => is("args", row).replaceChildren(fieldsOf(job.value, job.id));
    job.addEventListener("input", show);
    show();
  }
  return row;
}

export const focus = (row) => row.querySelector("select, input").focus();

// Remove a row. The focus goes to the next one, or to the button that adds one.
export function remove(row) {
  const list = row.parentElement;
  const next = row.nextElementSibling ?? row.previousElementSibling;
  row.remove();
  if (next) focus(next);
  else form.querySelector(`[data-add="${list.dataset.is}"]`).focus();
}

function show(name, within, shown) {
  for (const field of within.querySelectorAll(`[data-when="${name}"]`)) {
    field.hidden = !shown;
    field.querySelector("input, select").disabled = !shown; // then it is not checked either
  }
}

// Show the fields that the choices need, and hide the others. Their values stay.
export function arrange() {
  for (const way of ["evenly", "bursts"]) show(way, form, is("arrivals").value === way);
  const jobs = rows("jobs");
  for (const row of jobs) {
    show("mix", row, jobs.length > 1 || is("times", row).value !== "1");
    row.querySelector("[data-remove]").hidden = jobs.length === 1;
  }
  for (const row of rows("conditions")) {
    const takes = chosen(is("what", row)).dataset.takes.split(" ");
    for (const name of ["lane", "workers", "calls", "seconds"]) show(name, row, takes.includes(name));
  }
}

// ------------------------------------------------ drafts

export const draft = () => ({
  values: valuesOf(VALUES, form),
  lanes: lanes().filter((box) => box.checked).map((box) => box.value),
  jobs: rows("jobs").map((row) => ({
    ...valuesOf(["job", "times"], row),
    args: Object.fromEntries(fields(row).map((field) => [field.dataset.arg, isNull(field) ? null : field.value])),
  })),
  conditions: rows("conditions").map((row) => valuesOf(CONDITION, row)),
});

const isNull = (field) => field.value === "" && "null" in field.dataset;

export function restore(draft) {
  fill(draft.values, form);
  for (const box of lanes()) box.checked = draft.lanes.includes(box.value);
  for (const list of ["jobs", "conditions"]) is(list).replaceChildren();
  for (const { job, times, args } of draft.jobs) {
    const row = add("jobs");
    fill({ job, times }, row);
    if (!chosen(is("job", row))) is("job", row).selectedIndex = 0; // the job is no longer in the catalogue
    is("job", row).dispatchEvent(new Event("input"));
    for (const field of fields(row)) restoreArgument(field, args[field.dataset.arg]);
  }
  for (const values of draft.conditions) fill(values, add("conditions"));
}

// An optional argument that the draft does not have gets the job's default. The empty field shows it in grey.
function restoreArgument(field, value) {
  field.placeholder = value === null ? "null" : field.required ? "" : field.value;
  if (value === null) field.dataset.null = "";
  field.value = value ?? "";
}

// The draft of a request.
export function drafted(request) {
  const { arrivals } = request;
  const way = arrivals?.burst ? "bursts" : arrivals?.per_second ? "evenly" : "at-once";
  const values = { ...valuesOf(VALUES, form), ...texts(request), ...texts(arrivals), arrivals: way };
  return {
    values: Object.fromEntries(VALUES.map((name) => [name, values[name]])),
    lanes: request.lanes ?? draft().lanes,
    jobs: grouped(request.jobs).map(({ job, args, times }) => ({ job, times, args: argsAsText(job, args) })),
    conditions: (request.conditions ?? []).map(texts),
  };
}

const asText = (value) => (value === null ? "" : typeof value === "object" ? String(value) : `${value}`);
const texts = (values) => Object.fromEntries(Object.entries(values ?? {}).map(([name, value]) => [name, asText(value)]));

function argsAsText(job, args) {
  const template = document.querySelector(`template[data-args-of="${job}"]`);
  const isJson = (name) => template?.content.querySelector(`[data-arg="${name}"]`)?.dataset.type === "json";
  const text = (name, value) => (value === null ? null : isJson(name) ? JSON.stringify(value) : `${value}`);
  return Object.fromEntries(Object.entries(args).map(([name, value]) => [name, text(name, value)]));
}

// The jobs of a mix: equal ones that follow each other become one row.
function grouped(jobs) {
  const groups = [];
  for (const each of jobs) {
    const last = groups.at(-1);
    if (last && JSON.stringify(last.each) === JSON.stringify(each)) last.times += 1;
    else groups.push({ each, times: 1 });
  }
  return groups.map(({ each, times }) => ({ ...each, times: `${times}` }));
}

// ------------------------------------------------ the request

// Throws an Error for a field with an invalid value. The server checks the rest.
export function request() {
  check(form);
  const number = (name, within) => Number(is(name, within).value);
  const ways = {
    "at-once": () => ({}),
    evenly: () => ({ per_second: number("per_second") }),
    bursts: () => ({ burst: number("burst"), every: number("every") }),
  };
  const marked = draft().lanes;
  if (!marked.length) throw Object.assign(new Error("Lanes: choose at least one"), { field: lanes()[0] });
  return {
    name: is("name").value,
    lanes: marked,
    jobs: rows("jobs").flatMap((row) => Array(number("times", row)).fill({ job: is("job", row).value, args: argsOf(row) })),
    count: number("count"),
    arrivals: ways[is("arrivals").value](),
    priorities: priorities(is("priorities")),
    countdown: number("countdown"),
    conditions: rows("conditions").map(condition),
    deadline: number("deadline"),
  };
}

function priorities(field) {
  const parts = field.value.split(",").map((part) => part.trim());
  if (!parts.every((part) => /^\d+$/.test(part))) {
    throw mistake(field, "write whole numbers with commas between them, such as 0,5");
  }
  return parts.map(Number);
}

function condition(row) {
  const takes = chosen(is("what", row)).dataset.takes.split(" ").filter(Boolean);
  const value = (name) => (name === "lane" ? is(name, row).value || null : Number(is(name, row).value));
  return { at: value("at"), what: is("what", row).value, ...Object.fromEntries(takes.map((name) => [name, value(name)])) };
}
