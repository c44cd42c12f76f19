// Actions: a form for each, made from what the server says it has. `where`: path, query, json or file.
import { $, act, el, findSession, isSignedIn, signIn, signOut } from "./lib.js";

const field = (name, where, props = {}) => ({ name, where, ...props });
const repository = where => field("repository", where, { label: "Repository", list: "known-repositories", required: true });
const forms = {
  "warm": { title: "Warm and pin", help: "Fetches what boots read before they ask, behind all clients, and keeps it from eviction. Without paths: the repository's working sets.",
    fields: [repository("json"), field("paths", "json", { label: "Paths and globs, by spaces", many: true }), field("tag", "json", { label: "Tag (else the newest)" }), field("all", "json", { label: "Everything in it", type: "checkbox" })] },
  "pins/remove": { title: "Remove a pin", help: "Its objects stay until the room is needed.", fields: [field("name", "query", { label: "Pin, as the list of pins has it", required: true })] },
  "store/verify": { title: "Scrub the store", help: "Reads every stored byte and checks it against its name. With repair, what is damaged is forgotten, and fetched again when somebody asks.",
    fields: [field("repair", "query", { label: "Repair", type: "checkbox" })] },
  "working-sets/{repository}/{name}": { title: "Import a working set", help: "An exported set, a client's trace or a list of paths; it is prefetched and pinned at each new revision.",
    fields: [repository("path"), field("name", "path", { label: "Name", required: true }), field("tag", "query", { label: "Tag (else the newest)" }), field("body", "file", { label: "File", type: "file", required: true })] },
  "seeds": { title: "Import a seed", help: "A seed bundle: everything in it is verified before any of it counts.", fields: [field("name", "query", { label: "Name (else the bundle's)" }), field("body", "file", { label: "File", type: "file", required: true })] },
  "http/purge": { title: "Forget stored answers", help: "Of destinations and sites: the next request asks the origin. With the box ticked all URLs that begin so.",
    fields: [field("url", "query", { label: "URL", required: true }), field("prefix", "query", { label: "All that begin so", type: "checkbox" })] },
  "store/evict": { title: "Evict", help: "Frees space now; pinned objects stay.", fields: [field("bytes", "query", { label: "Bytes", type: "number", required: true, min: 1 })] },
  "repositories/{repository}/rollback": { title: "Allow a rollback", help: "Lets a repository go back to this revision, once.", fields: [repository("path"), field("floor", "query", { label: "Oldest revision", type: "number", required: true, min: 0 })] },
  "drain": { title: "Drain and stop", help: "As SIGTERM: answers under way end, the store commits, the process ends.", fields: [], sure: "Stop this Breakwater?" },
};
const formOf = action => forms[action] ?? { title: action, help: "", fields: [...action.matchAll(/\{(\w+)[^}]*\}/g)].map(m => field(m[1], "path", { label: m[1], required: true })) };
let offered = "";

export function offer(actions) {
  const paths = actions.map(a => a.replace(/^\//, ""));
  if (paths.join() === offered) return;
  offered = paths.join();
  const known = Object.keys(forms), rank = p => known.includes(p) ? known.indexOf(p) : known.length;
  $("action").replaceChildren(...paths.sort((a, b) => rank(a) - rank(b)).map(p => el("option", { value: p, textContent: formOf(p).title })));
  show();
}

function show() {
  const form = formOf($("action").value);
  $("action-help").textContent = form.help;
  $("action-result").textContent = "";
  $("action-fields").replaceChildren(...form.fields.map(f => {
    const input = el("input", { id: "field-" + f.name, type: f.type ?? "text", required: !!f.required, spellcheck: false });
    if (f.list) input.setAttribute("list", f.list);
    if (f.min !== undefined) input.min = f.min;
    return el("label", { className: f.type === "checkbox" ? "check" : "" }, f.label + " ", input);
  }));
}

function request(action) {
  let path = action, body;
  const query = new URLSearchParams(), json = {}, form = formOf(action);
  for (const f of form.fields) {
    const input = $("field-" + f.name), value = f.type === "checkbox" ? input.checked : f.type === "file" ? input.files[0] : input.value.trim();
    if (!value && f.where !== "path") continue;
    if (f.where === "path") path = path.replace(new RegExp(`\\{${f.name}[^}]*\\}`), encodeURIComponent(value));
    else if (f.where === "query") query.set(f.name, value);
    else if (f.where === "file") body = value;
    else json[f.name] = f.many ? value.split(/\s+/) : value;
  }
  const isJson = form.fields.some(f => f.where === "json");
  return { path: path + (query.size ? "?" + query : ""), init: { method: "POST", headers: isJson ? { "Content-Type": "application/json" } : {}, body: isJson ? JSON.stringify(json) : body } };
}

// Some answers are lists that grow while the action goes on: the newest item is shown.
async function watch(response, out) {
  const reader = response.body.getReader(), decoder = new TextDecoder();
  let text = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    text += decoder.decode(value, { stream: true });
    const items = text.startsWith("[") ? text.match(/\{[^{}]*\}/g) : null;
    if (items) out.textContent = "… " + items[items.length - 1];
  }
  let answer;
  try { answer = JSON.parse(text); } catch { return text; }
  if (answer.error) return [answer.error, answer.next].filter(Boolean).join(" ");
  return JSON.stringify(Array.isArray(answer) && answer.length ? answer[answer.length - 1] : answer, null, 1);
}

$("action").addEventListener("change", show);
$("action-form").addEventListener("submit", async e => {
  e.preventDefault();
  const action = $("action").value, out = $("action-result"), sure = formOf(action).sure;
  if (!isSignedIn() && !$("token").value) { out.textContent = "Refused: actions need the admin token, the content of the file that Admin:TokenFile names (the package's: /var/lib/breakwater/admin.token; by default admin.token in the store's directory)."; return; }
  if (sure && !confirm(sure)) return;
  out.textContent = "…";
  try {
    if (!isSignedIn()) {
      await signIn($("token").value);
      $("token").value = "";
    }
    const { path, init } = request(action), r = await act(path, init);
    const answer = await watch(r, out);
    out.textContent = r.status + " " + answer;
    if (r.status === 401 || r.status === 403) await findSession();   // it has ended: the token is asked for again
  } catch (e) { out.textContent = (e.status ? e.status + " " : "") + e.message; }
});
$("sign-out").addEventListener("click", () => signOut());
