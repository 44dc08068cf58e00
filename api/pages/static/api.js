// Requests to the API. Every failure becomes an Error whose message the page can show unchanged.

const TOKEN = document.querySelector('meta[name="kit-token"]').content; // the proof that this is the kit's own page

export async function post(path, body) {
  let reply;
  try {
    reply = await fetch(path, {
      method: "POST",
      headers: { "X-Kit-Token": TOKEN, ...(body !== undefined && { "Content-Type": "application/json" }) },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch {
    throw new Error("The API does not answer. See whether the kit is up: ./kit status");
  }
  const answer = await reply.json().catch(() => ({}));
  if (!reply.ok) throw new Error(answer.message ?? `The API answered ${reply.status}.`);
  return answer;
}

// Follow /api/live while the page is visible: browsers allow few connections, and a hidden page needs none.
// When the page is visible again, it gets everything that has changed meanwhile.
export function follow(query, handlers, onState = () => {}) {
  let source = null;

  function open() {
    source = new EventSource(`/api/live?${new URLSearchParams(query)}`);
    source.onopen = () => onState(true);
    source.onerror = () => {
      onState(false);
      if (source.readyState === EventSource.CLOSED) setTimeout(() => { close(); open(); }, 2000);
    };
    for (const [event, handle] of Object.entries(handlers)) {
      source.addEventListener(event, (message) => handle(JSON.parse(message.data)));
    }
  }
  function close() {
    source?.close();
    source = null;
  }

  document.addEventListener("visibilitychange", () => {
    if (document.hidden) close();
    else if (!source) open();
  });
  addEventListener("pagehide", close);
  addEventListener("pageshow", () => { if (!source) open(); });
  if (!document.hidden) open();
}
