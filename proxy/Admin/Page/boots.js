// Storms, and the boots of the chosen one on one time axis.
import { $, ahead, clock, count, el, get, Refusal, size, table, time } from "./lib.js";

const perPage = 100;
const letters = { w: "between requests", m: "memory", d: "disk", j: "joined a fetch", u: "upstream", x: "refused or failed" };
const parts = bar => [...bar.matchAll(/([a-z])(\d+)/g)].map(([, letter, length]) => [letter, +length]);
let rows = new Map(), chosen = null, offset = 0, known = "", isAsking = false, askAgain = false;

// Asks only when something has changed, here or there.
export async function refresh(version) {
  const question = new URLSearchParams({ offset, limit: perPage, sort: $("boot-sort").value });
  if (chosen !== null) question.set("storm", chosen);
  for (const name of ["client", "repository", "state"]) if ($("boot-" + name).value.trim()) question.set(name, $("boot-" + name).value.trim());
  const wanted = [question, $("boot-from").value, version].join(" ");
  if (wanted === known) return;
  if (isAsking) { askAgain = true; return; }
  isAsking = true;
  try {
    const [page, storms] = await Promise.all([get("boots?" + question), get("storms")]);
    known = wanted;
    showStorms(storms, page.storm);
    showBoots(page);
  } catch (e) {
    if (!(e instanceof Refusal && e.status === 404 && chosen !== null)) throw e;
    [chosen, offset, known] = [null, 0, ""];   // its boots were given up, or the server began anew
  } finally { isAsking = false; }
  if (askAgain) { askAgain = false; await refresh(version); }
}

function showStorms(storms, shown) {
  $("storms-none").hidden = storms.length > 0;
  const focused = document.activeElement?.dataset?.storm;
  $("storm-rows").replaceChildren(...storms.map(s => {
    const name = clock(s.startedAt);
    const pick = s.id == null ? name : el("button", { type: "button", className: "pick", textContent: name, "aria-pressed": s.id === shown.id ? "true" : "false" });
    if (s.id != null) pick.dataset.storm = s.id;
    return el("tr", { className: s.id != null && s.id === shown.id ? "chosen" : "" }, el("td", {}, pick), ...[s.isRunning ? "runs" : time(s.durationMs), count(s.boots), s.stopped ? el("b", { className: "bad", textContent: count(s.stopped) }) : "0",
      count(s.booting), count(s.done), time(s.medianMs), time(s.p99Ms), count(s.refused)].map(c => el("td", { className: "n" }, c)));
  }));
  if (focused) $("storm-rows").querySelector(`[data-storm="${focused}"]`)?.focus({ preventScroll: true });
}

function showBoots(page) {
  const s = page.storm, isShared = $("boot-from").value === "storm", whole = Math.max(1, isShared ? s.durationMs : Math.max(...page.boots.map(b => b.durationMs)));
  $("storm-line").textContent = !s.boots ? "none seen yet" : (s.isRunning && s.booting > 1 ? "storm in progress: " : "") + count(s.booting) + " booting, " + count(s.done) + " done"
    + (s.stopped ? ", " + count(s.stopped) + " stopped half-way (probably DIRECT)" : "") + (s.medianMs != null ? "; median " + time(s.medianMs) + ", 99 of 100 within " + time(s.p99Ms) + ", slowest " + time(s.maxMs) : "")
    + (ahead(s.estimatedEnd) ? "; estimated end " + ahead(s.estimatedEnd) : "");
  $("boot-axis").replaceChildren(...[0, 0.25, 0.5, 0.75, 1].map(x => el("span", { textContent: time(x * whole) })));
  $("boot-axis-row").hidden = !page.boots.length;
  if (page.offset >= page.matched && page.offset > 0) { offset = 0; known = ""; }
  const last = page.offset + page.boots.length;
  $("boot-range").textContent = !s.boots ? "No boot was seen yet: a VM appears here once it has asked for ten objects." : page.matched ? `${count(page.offset + 1)} to ${count(last)} of ${count(page.matched)}` + (page.matched < s.boots ? `, filtered from ${count(s.boots)}` : "") : "No boot of this storm is so.";
  $("boot-before").disabled = page.offset === 0;
  $("boot-after").disabled = last >= page.matched;
  // Rows stay the same elements: a click that begins before an update and ends after it would hit nothing, and the focus would be lost.
  const next = page.boots.map(b => draw(rows.get(String(b.id)) ?? newRow(b.id), b, isShared ? Math.max(0, new Date(b.startedAt) - new Date(s.startedAt)) : 0, whole));
  if (next.length !== $("boots").children.length || next.some((row, i) => $("boots").children[i] !== row)) {
    const focused = document.activeElement;
    $("boots").replaceChildren(...next);
    if (focused?.dataset?.id && focused.isConnected) focused.focus({ preventScroll: true });
    rows = new Map(next.map(row => [row.dataset.id, row]));
  }
}

function newRow(id) {
  const row = el("button", { type: "button" }, el("span", { className: "name" }), el("span", { className: "track" }, el("span", { className: "bar" })), el("span", { className: "n" }));
  row.dataset.id = id;
  return row;
}

function draw(row, b, from, whole) {
  const [name, track, end] = row.children, bar = track.firstChild;
  const stops = [], shares = {};
  let at = 0;
  for (const [letter, length] of parts(b.bar)) {
    stops.push(`var(--${letter}) ${at / 10}% ${(at + length) / 10}%`);
    at += length;
    shares[letter] = (shares[letter] ?? 0) + length / 1000;
  }
  bar.style.left = Math.min(99.5, 100 * from / whole) + "%";
  bar.style.width = Math.max(0.5, Math.min(100 * b.durationMs / whole, 100 - 100 * from / whole)) + "%";
  bar.style.background = `linear-gradient(to right, ${stops.join(", ")})`;
  const fate = b.state === "stopped" ? "stopped half-way, probably DIRECT" : b.state;
  row.className = "boot " + b.state;
  row.title = `${b.client}, ${b.repository}: ${fate}, ${time(b.durationMs)}, ${count(b.requests)} requests, ${size(b.bytes)}${b.refused ? `, ${count(b.refused)} refused` : ""}. `
    + Object.entries(shares).sort((x, y) => y[1] - x[1]).map(([letter, share]) => `${Math.round(100 * share)} % ${letters[letter]}`).join(", ");
  name.textContent = b.client;
  end.textContent = b.state === "done" ? time(b.durationMs) : b.state;
  return row;
}

// What has no file of its own, by the letter behind its hash.
const named = what => /^data\/../.test(what) ? what + ({ X: " (certificate)", H: " (tag history)", C: " (catalog)", M: " (metadata)" }[what.at(-1)] ?? "") : what;

async function details(id) {
  const d = await get("boots/" + id), b = d.boot;
  $("details-title").textContent = `${b.client}: ${b.repository}, ${time(b.durationMs)}, ${count(b.requests)} requests, ${size(b.bytes)}`;
  const heads = ["#at", "#took", "from", "result", "#bytes", "what"];
  $("details-body").replaceChildren(d.requests.length ? table(heads, d.requests.map(r => [time(r.startMs), time(r.durationMs), r.source, r.result, size(r.bytes), named(r.what)])) : "The requests of this boot were given up to bound memory.");
  // Files are named from the catalogs in the store, which the proxy begins to read when it is first asked for a name.
  if (d.requests.some(r => /^data\/.*[0-9a-fP]$/.test(r.what)) || b.state === "booting") setTimeout(() => { if ($("details").open) details(id).catch(() => {}); }, 1500);
}

export function start(ask) {
  $("boots").addEventListener("click", async e => {
    const row = e.target.closest(".boot");
    if (!row) return;
    await details(row.dataset.id).catch(problem => { $("details-title").textContent = "This boot is not known any more"; $("details-body").textContent = problem.message; });
    if (!$("details").open) $("details").showModal();
  });
  $("storm-rows").addEventListener("click", e => {
    const pick = e.target.closest("button");
    if (!pick) return;
    [chosen, offset] = [+pick.dataset.storm, 0];
    ask();
  });
  $("storm-newest").addEventListener("click", () => { [chosen, offset] = [null, 0]; ask(); });
  $("boot-filter").addEventListener("submit", e => e.preventDefault());
  $("boot-filter").addEventListener("input", () => { offset = 0; ask(); });
  $("boot-before").addEventListener("click", () => { offset = Math.max(0, offset - perPage); ask(); });
  $("boot-after").addEventListener("click", () => { offset += perPage; ask(); });
}
