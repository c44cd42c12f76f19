// What all parts of the page share: numbers for people, elements, and questions to the server.
export const $ = id => document.getElementById(id);
const units = ["B", "KB", "MB", "GB", "TB", "PB"];
export const size = n => { let i = 0; for (n = Math.max(0, n); n >= 1000 && i < 5; i++) n /= 1000; return n.toFixed(i && n < 100 ? 1 : 0) + " " + units[i]; };
export const count = n => Math.round(n).toLocaleString("en");
export const time = ms => ms == null ? "–" : ms > 0 && ms < 1 ? "< 1 ms" : ms < 1000 ? Math.round(ms) + " ms" : ms < 60000 ? (ms / 1000).toFixed(1) + " s"
  : ms < 7200000 ? Math.floor(ms / 60000) + " min " + Math.floor(ms % 60000 / 1000) + " s" : (ms / 3600000).toFixed(1) + " h";
export const hour = date => new Date(date).toLocaleTimeString("sv");         // 24 h
export const ahead = date => date && new Date(date) > new Date() ? hour(date) : null;   // an estimate that time has overtaken says nothing
export const clock = date => date ? new Date(date).toLocaleString("sv") : "–"; // ISO date, 24 h
export const percent = r => r == null ? "–" : (100 * r).toFixed(r > 0.999 && r < 1 ? 2 : 1) + " %";

export const el = (tag, props = {}, ...children) => {
  const e = document.createElement(tag);
  for (const [key, value] of Object.entries(props)) key.includes("-") || key === "role" ? e.setAttribute(key, value) : e[key] = value;
  e.append(...children);
  return e;
};

// A head that begins with # is a column of numbers, one with * of long names, which may wrap.
const kind = head => head.startsWith("#") ? "n" : head.startsWith("*") ? "wrap" : "";
export const table = (heads, rows) => el("table", {},
  el("thead", {}, el("tr", {}, ...heads.map(h => el("th", { scope: "col", className: kind(h), textContent: h.replace(/^[#*]/, "") })))),
  el("tbody", {}, ...rows.map(r => el("tr", {}, ...r.map((c, i) => el("td", { className: kind(heads[i]) }, c ?? "–"))))));
export const pairs = rows => el("table", { className: "pairs" }, el("tbody", {}, ...rows.map(([name, value]) => el("tr", {}, el("th", { scope: "row", textContent: name }), el("td", {}, value ?? "–")))));
export const meter = (part, whole, text, name) => el("span", { className: "meter" }, el("progress", { max: Math.max(1, whole), value: Math.min(part, whole), "aria-label": name ?? text }), " " + text);

// What long lists stand in: reached by the keyboard, so that they can be scrolled with it.
export const region = (id, label) => el("div", { className: "scroll", id, tabIndex: 0, role: "region", "aria-label": label });

export class Refusal extends Error {
  constructor(status, text) { super(text); this.status = status; }
}

const tags = new Map();
let csrf = null;
export const isSignedIn = () => csrf !== null;
export const act = (path, init = {}) => fetch("/api/v1/" + path, { ...init, headers: { ...(csrf ? { "X-CSRF-Token": csrf } : {}), ...init.headers } });

// The session is the browser's: its cookie is out of the page's reach. What changes something carries the session's token, too.
function signed(session) {
  csrf = session.csrf ?? null;
  document.body.classList.toggle("signed-in", isSignedIn());
  $("token-label").hidden = isSignedIn();
  $("sign-out").hidden = !isSignedIn();
  $("plain").hidden = window.isSecureContext;
}

export const findSession = async () => signed(await get("session"));

export async function signIn(token) {
  const body = JSON.stringify({ token, isEncrypted: location.protocol === "https:" });
  const response = await act("session", { method: "POST", headers: { "Content-Type": "application/json" }, body });
  if (!response.ok) throw await refusal(response);
  signed(await response.json());
}

export async function signOut() {
  await act("session", { method: "DELETE" });
  location.reload();
}

export async function get(path) {
  const response = await act(path);
  if (!response.ok) throw await refusal(response);
  return response.json();
}

// As get; undefined when it is as it was when it was asked for last.
export async function getChanged(path) {
  const response = await act(path, { headers: tags.has(path) ? { "If-None-Match": tags.get(path) } : {} });
  if (response.status === 304) return undefined;
  if (!response.ok) throw await refusal(response);
  const value = await response.json();
  if (response.headers.get("ETag")) tags.set(path, response.headers.get("ETag"));
  return value;
}

export const forget = path => tags.delete(path);

async function refusal(response) {
  const problem = await response.json().catch(() => ({}));
  return new Refusal(response.status, problem.detail ?? response.status + " " + response.statusText);
}
