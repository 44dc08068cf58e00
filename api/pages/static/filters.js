// The filters of the list. The address holds them: it says what the list shows, also after Back.
// A choice takes effect when it is made, by the button or by Enter, and not with each arrow key on the way to it.

export function prepare(form) {
  const lists = [...form.querySelectorAll("select")];
  const shown = (list) => new URLSearchParams(location.search).get(list.name) ?? "";
  const mark = () => form.classList.toggle("changed", lists.some((list) => list.value !== shown(list)));

  form.addEventListener("change", mark);
  form.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.target.localName === "select") {
      event.preventDefault(); // Enter would open the list again
      form.requestSubmit();
    }
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const chosen = [...new FormData(form)].filter(([, value]) => value);
    location.assign(chosen.length ? `/?${new URLSearchParams(chosen)}#runs` : "/#runs");
  });
  addEventListener("pageshow", () => {
    for (const list of lists) list.value = shown(list);
    mark();
  });
}
