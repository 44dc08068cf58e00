// The filters of the list. They are in the page's address, so they stay after Back and in a bookmark.
// A filter takes effect with the button or Enter, not with each arrow key on the way to a choice.

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
