"use strict";
// The page polls: a second is live enough for people, and a poll costs the proxy less than an open stream for each viewer.
const $ = id => document.getElementById(id);
const size = n => { const u = ["B", "KB", "MB", "GB", "TB", "PB"]; let i = 0; for (n = Math.max(0, n); n >= 1000 && i < 5; i++) n /= 1000; return n.toFixed(i && n < 100 ? 1 : 0) + " " + u[i]; };
const count = n => Math.round(n).toLocaleString("en");
const time = ms => ms == null ? "–" : ms < 1000 ? Math.round(ms) + " ms" : ms < 60000 ? (ms / 1000).toFixed(1) + " s" : Math.floor(ms / 60000) + " min " + Math.round(ms % 60000 / 1000) + " s";
const hour = date => new Date(date).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });
const percent = r => r == null ? "–" : (100 * r).toFixed(r > 0.999 && r < 1 ? 2 : 1) + " %";
const el = (tag, props = {}, ...children) => { const e = Object.assign(document.createElement(tag), props); e.append(...children); return e; };
const get = async path => { const r = await fetch("/api/v1/" + path, { headers: token() }); if (!r.ok) throw new Error(r.status + " " + r.statusText); return r.json(); };
const token = () => $("token").value ? { Authorization: "Bearer " + $("token").value.trim() } : {};
const table = (heads, rows) => el("table", {}, el("thead", {}, el("tr", {}, ...heads.map(h => el("th", { className: h.startsWith("#") ? "n" : "", textContent: h.replace("#", "") })))),
  el("tbody", {}, ...rows.map(r => el("tr", {}, ...r.map((c, i) => { const td = el("td", { className: heads[i].startsWith("#") ? "n" : "" }); td.append(c ?? "–"); return td; })))));

let last = null, chart = null;
const series = [[], [], [], []];

function traffic(s) {
  const now = new Date(s.time).getTime() / 1000;
  if (last) {
    const dt = Math.max(0.1, s.uptimeSeconds - last.uptimeSeconds), rate = key => Math.max(0, s[key] - last[key]) / dt;
    s.rps = rate("requests"); s.bps = rate("bytesSent"); s.ups = rate("upstreamBytes");
    [now, s.rps, s.bps / 1e6, s.ups / 1e6].forEach((v, i) => { series[i].push(v); if (series[i].length > 300) series[i].shift(); });
    draw();
  }
  last = s;
}

function draw() {
  const css = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const width = $("chart").clientWidth;
  if (!chart) {
    const axis = { stroke: () => css("--soft"), grid: { stroke: () => css("--line"), width: 1 } }, fromZero = { range: (u, from, to) => [0, Math.max(1, to * 1.1)] };
    chart = new uPlot({ width, height: 220, scales: { x: { range: u => { const times = u.data[0], last = times.at(-1) ?? Date.now() / 1000; return [Math.min(times[0] ?? last, last - 60), last]; } }, y: fromZero, mb: fromZero },
      axes: [{ ...axis, values: (u, ticks) => ticks.map(t => hour(t * 1000)), space: 80 }, { ...axis, size: 60, label: "requests/s", labelSize: 18 }, { ...axis, scale: "mb", side: 1, grid: { show: false }, size: 48, label: "MB/s", labelSize: 18 }],
      series: [{ label: "at", value: (u, v) => v == null ? "–" : hour(v * 1000) }, { label: "requests/s", stroke: () => css("--d"), width: 2, value: (u, v) => v == null ? "–" : count(v) }, { label: "to clients MB/s", scale: "mb", stroke: () => css("--m"), width: 2, value: (u, v) => v == null ? "–" : v.toFixed(1) },
        { label: "from Stratum 1s MB/s", scale: "mb", stroke: () => css("--u"), width: 2, value: (u, v) => v == null ? "–" : v.toFixed(1) }] }, series, $("chart"));
  } else { chart.setData(series); if (Math.abs(chart.width - width) > 4) chart.setSize({ width, height: 220 }); }
}

const states = { notAskedYet: ["muted", "not asked yet"], answers: ["good", "answers"], failing: ["degraded", "failed when asked last"], askedLast: ["bad", "fails: asked after the others"] };
const state = name => el("span", { className: (states[name] || [])[0] || "", textContent: (states[name] || [])[1] || name });

function headline(s) {
  const asked = s.upstreams.filter(u => u.isInUse && u.state !== "notAskedYet"), answering = asked.filter(u => u.state === "answers");
  const tiles = [["Hits by requests", percent(s.hitRatio), "hit-ratio"], ["Hits by bytes", percent(s.byteHitRatio)], ["Upstream bytes saved", size(s.bytesSaved), "saved"], ["Requests/s", count(s.rps || 0), "rps"],
    ["To clients", size(s.bps || 0) + "/s"], ["From Stratum 1s", size(s.ups || 0) + "/s"], ["Requests", count(s.requests), "requests"],
    ["VMs booting", count(s.storm.booting), "booting"], ["VMs booted", count(s.storm.done), "booted"], ["Storm ends about", s.storm.estimatedEnd ? hour(s.storm.estimatedEnd) : "–"],
    [`Fetches under way, for ${count(s.fetchFollowers)} requests` + (s.fetchesWaiting ? `; ${count(s.fetchesWaiting)} in line` : ""), count(s.fetches), "fetches"],
    ["Stratum 1s answer", answering.length + " of " + asked.length, "stratum1s", !asked.length || answering.length === asked.length ? "" : answering.length ? "degraded" : "bad"],
    ["Sent from memory", size(s.memoryBytes)], ["Sent from disk", size(s.diskBytes)]];
  $("tiles").replaceChildren(...tiles.map(([name, value, id, mood]) => el("div", { className: "tile", id: id ? "t-" + id : "" }, el("b", { className: mood ?? "", textContent: value }), el("span", { textContent: name }))));
  $("version").textContent = `${s.version}, up ${time(s.uptimeSeconds * 1000)}, ${size(s.workingSetBytes)} of memory`;
  $("health").textContent = s.health.status; $("health").className = "chip " + s.health.status;
  $("findings").hidden = !s.health.findings.length;
  $("findings").replaceChildren(...s.health.findings.map(f => el("li", { className: f.level }, el("b", { textContent: f.name }), " " + f.text)));
  $("upstreams").replaceChildren(table(["cluster", "name", "Stratum 1", "state"], s.upstreams.filter(u => u.isInUse).map(u => [u.cluster, u.name, u.upstream, state(u.state)])));
  $("results").replaceChildren(table(["result", "#requests", "#bytes"], s.results.filter(r => r.requests).map(r => [r.result, count(r.requests), size(r.bytes)])));
  const t = s.storm;
  $("storm-line").textContent = t.booting + t.done + t.stopped === 0 ? "none seen yet" : (t.booting > 1 ? "storm in progress: " : "") + t.booting + " booting, " + t.done + " done"
    + (t.stopped ? ", " + t.stopped + " stopped half-way (probably DIRECT)" : "") + (t.medianMs != null ? "; median " + time(t.medianMs) + ", slowest " + time(t.maxMs) : "")
    + (t.estimatedEnd ? "; estimated end " + hour(t.estimatedEnd) : "");
}

function boots(list) {
  const longest = Math.max(1, ...list.map(b => b.durationMs));
  // Rows stay the same elements: a click that begins before an update and ends after it would hit nothing, and the focus would be lost.
  const rows = list.map(b => {
    const row = bootRows.get(String(b.id)) ?? bootRow(b.id);
    const bar = el("span", { className: "bar" }); bar.style.width = Math.max(0.5, 100 * b.durationMs / longest) + "%";
    for (const c of b.segments) { const i = el("i", { className: c === "-" ? "w" : c }); i.style.flex = "1"; bar.append(i); }
    row.className = "boot " + b.state; row.title = `${b.client}, ${b.repository}: ${b.requests} requests, ${size(b.bytes)}, ${b.state === "stopped" ? "stopped half-way, probably DIRECT" : b.state}`;
    row.children[0].textContent = b.client; row.children[1].replaceChildren(bar); row.children[2].textContent = b.state === "booting" ? "booting" : time(b.durationMs);
    return row;
  });
  if (rows.length !== $("boots").children.length || rows.some((row, i) => $("boots").children[i] !== row)) {
    const focused = document.activeElement;
    $("boots").replaceChildren(...rows);
    if (focused?.dataset?.id && focused.isConnected) focused.focus({ preventScroll: true });
    bootRows = new Map(rows.map(row => [row.dataset.id, row]));
  }
}

let bootRows = new Map();

function bootRow(id) {
  const row = el("button", { type: "button" }, el("span", { className: "name" }), el("span", { className: "track" }), el("span", { className: "n" }));
  row.dataset.id = id;
  return row;
}

$("boots").addEventListener("click", async e => {
  const row = e.target.closest(".boot"); if (!row) return;
  await details(row.dataset.id);
  if (!$("details").open) $("details").showModal();
});

// What has no file of its own, by the letter behind its hash.
const named = what => /^data\/../.test(what) ? what + ({ X: " (certificate)", H: " (tag history)", C: " (catalog)", M: " (metadata)" }[what.at(-1)] ?? "") : what;

async function details(id) {
  const d = await get("boots/" + id), b = d.boot;
  $("details-title").textContent = `${b.client}: ${b.repository}, ${time(b.durationMs)}, ${b.requests} requests, ${size(b.bytes)}`;
  $("details-body").replaceChildren(d.requests.length ? table(["#at", "#took", "from", "result", "#bytes", "what"], d.requests.map(r => [time(r.startMs), time(r.durationMs), r.source, r.result, size(r.bytes), named(r.what)])) : "The requests of this boot were given up to bound memory.");
  // Files are named from the catalogs in the store, which the proxy begins to read when it is first asked for a name.
  if (d.requests.some(r => /^data\/.*[0-9a-fP]$/.test(r.what)) || b.state === "booting") setTimeout(() => { if ($("details").open) details(id).catch(() => {}); }, 1500);
}
