// Asking BitBot. `await api.get("/portals/3")`, `api.post("/bots", {…})`, `api.patch`, `api.delete`; what fails throws an
// `ApiError` with a sentence for people and, for a form, what is wrong with each field.

import { said, t } from "./texts.js";

const root = "/api/v1";
let bearer = null;
let csrf = null;

/** Tells that the session has ended: `session.addEventListener("signed-out", …)`. */
export const session = new EventTarget();

/** With what to ask from now on: `{ csrf }` beside the session's cookie, or `{ bearer }` instead of it. */
export function authorize(credentials) {
  bearer = credentials.bearer ?? null;
  csrf = credentials.csrf ?? null;
}

export class ApiError extends Error {
  constructor(message, { status = 0, code = "", fields = {}, retryAfter = null } = {}) {
    super(message);
    this.name = "ApiError";
    this.status = status;
    this.code = code;
    /** What is wrong with which field, by its name in the request (`limit.burst` for one inside another). */
    this.fields = fields;
    /** Seconds to wait before trying again, where the server names them. */
    this.retryAfter = retryAfter;
  }
}

/** An address with its query; null and undefined are left out. */
export function address(path, query = {}) {
  const pairs = Object.entries(query).filter(([, value]) => value != null && value !== "");
  return path + (pairs.length ? `?${new URLSearchParams(pairs)}` : "");
}

async function ask(method, path, { query, body, signal, accept = "application/json" } = {}) {
  const headers = { Accept: accept };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (bearer) headers.Authorization = `Bearer ${bearer}`;
  else if (csrf && method !== "GET") headers["X-CSRF-Token"] = csrf;
  let answer;
  try {
    answer = await fetch(root + address(path, query), {
      method, headers, signal, credentials: bearer ? "omit" : "same-origin", cache: "no-store",
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError(t("unreachable"), { code: "unreachable" });
  }
  if (answer.ok) return answer;
  const { error = {} } = await answer.json().catch(() => ({}));
  if (answer.status === 401) session.dispatchEvent(new Event("signed-out"));
  throw new ApiError(said(error.message) || t("failed", { status: String(answer.status) }), {
    status: answer.status, code: error.code ?? "", fields: error.fields ?? {},
    retryAfter: Number(answer.headers.get("Retry-After")) || null,
  });
}

async function json(method, path, options) {
  const answer = await ask(method, path, options);
  return answer.status === 204 ? null : answer.json();
}

export const api = {
  get: (path, query, options = {}) => json("GET", path, { query, ...options }),
  post: (path, body = {}, options = {}) => json("POST", path, { body, ...options }),
  patch: (path, body, options = {}) => json("PATCH", path, { body, ...options }),
  delete: (path, options = {}) => json("DELETE", path, options),

  /** A source for `<bb-list>`: one page of a list at a time. */
  pages: (path, query = {}, limit = 50) => (cursor, signal) =>
    json("GET", path, { query: { ...query, limit, cursor }, signal }),

  /** The whole of a list that is known to be short (providers, connectors); at most a thousand. */
  async all(path, query = {}, options = {}) {
    const items = [];
    let cursor = null;
    do {
      const page = await json("GET", path, { query: { ...query, limit: 100, cursor }, ...options });
      items.push(...page.items);
      cursor = page.next;
    } while (cursor && items.length < 1000);
    return items;
  },

  /**
   * Follows server-sent events until they end or `signal` aborts: `for await (const { event, data } of api.stream("/live"))`.
   * With a `body` it is a POST. `opened` is called when the server has answered, before its first event.
   */
  async *stream(path, { query, body, signal, opened = () => {} } = {}) {
    const answer = await ask(body === undefined ? "GET" : "POST", path, { query, body, signal, accept: "text/event-stream" });
    opened();
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    try {
      for (;;) {
        const { value, done } = await reader.read();
        if (done) return;
        const blocks = (rest + value).split(/\r?\n\r?\n/);
        rest = blocks.pop();
        for (const block of blocks) {
          const found = readEvent(block);
          if (found) yield found;
        }
      }
    } catch (error) {
      if (error.name === "AbortError") throw error;
      throw new ApiError(t("unreachable"), { code: "unreachable" });
    } finally {
      reader.cancel().catch(() => {});
    }
  },
};

function readEvent(block) {
  let event = "message";
  const data = [];
  for (const line of block.split(/\r?\n/)) {
    if (line.startsWith("event:")) event = line.slice(6).trim();
    if (line.startsWith("data:")) data.push(line.slice(5).replace(/^ /, ""));
  }
  return data.length ? { event, data: JSON.parse(data.join("\n")) } : null;
}
