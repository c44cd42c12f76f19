// The headline: tiles, findings, Stratum 1s, results.
import { $, ahead, clock, count, el, percent, size, table, time } from "./lib.js";

const states = { notAskedYet: ["muted", "not asked yet"], answers: ["good", "answers"], failing: ["degraded", "failed when asked last"], askedLast: ["bad", "fails: asked after the others"] };
const state = name => el("span", { className: states[name]?.[0] ?? "", textContent: states[name]?.[1] ?? name });

export function showStatus(s, rates) {
  const asked = s.upstreams.filter(u => u.isInUse && u.state !== "notAskedYet"), answering = asked.filter(u => u.state === "answers");
  const refused = s.results.filter(r => r.result === "refused").reduce((sum, r) => sum + r.requests, 0);
  const failed = s.results.filter(r => r.result === "failed").reduce((sum, r) => sum + r.requests, 0);
  const tiles = [["Hits by requests", percent(s.hitRatio), "hit-ratio"], ["Hits by bytes", percent(s.byteHitRatio)], ["Upstream bytes saved", size(s.bytesSaved), "saved"], ["Requests/s", count(rates.rps), "rps"],
    ["To clients", size(rates.bps) + "/s"], [s.upstreamLimit ? `From Stratum 1s, of at most ${size(s.upstreamLimit)}/s` : "From Stratum 1s", size(rates.ups) + "/s"], ["Requests", count(s.requests), "requests"],
    ["Refused", count(refused), "refused", refused ? "degraded" : ""], ["Failed", count(failed), "failed", failed ? "bad" : ""],
    ["VMs booting", count(s.storm.booting), "booting"], ["VMs booted", count(s.storm.done), "booted"], ["VMs stopped half-way", count(s.storm.stopped), "stopped", s.storm.stopped ? "bad" : ""],
    ["Storm ends about", ahead(s.storm.estimatedEnd) ?? "–"],
    [`Fetches under way, for ${count(s.fetchFollowers)} requests` + (s.fetchesWaiting ? `; ${count(s.fetchesWaiting)} in line` : ""), count(s.fetches), "fetches"],
    ["Stratum 1s answer", asked.length ? answering.length + " of " + asked.length : "–", "stratum1s", !asked.length || answering.length === asked.length ? "" : answering.length ? "degraded" : "bad"],
    ["Sent from memory", size(s.memoryBytes)], ["Sent from disk", size(s.diskBytes)]];
  $("tiles").replaceChildren(...tiles.map(([name, value, id, mood]) => el("div", { className: "tile", id: id ? "t-" + id : "" }, el("b", { className: mood ?? "", textContent: value }), el("span", { textContent: name }))));
  $("version").textContent = `${s.version}, up ${time(s.uptimeSeconds * 1000)}, ${size(s.workingSetBytes)} of memory`;
  $("health").textContent = s.health.status;
  $("health").className = "chip " + s.health.status;
  $("findings").hidden = !s.health.findings.length;
  replaceIfOther($("finding-list"), s.health.findings, f => el("li", { className: f.level }, el("b", { textContent: f.name }), " " + f.text));
  const used = s.upstreams.filter(u => u.isInUse);
  $("upstreams").replaceChildren(used.length ? table(["cluster", "name", "Stratum 1", "state"], used.map(u => [u.cluster, u.name, u.upstream, state(u.state)]))
    : el("p", { className: "muted", textContent: "None was asked yet." }));
  if (s.nodes) $("upstreams").append(el("p", { id: "nodes", textContent: "Nodes: " + s.nodes }));
  const results = s.results.filter(r => r.requests);
  $("results").replaceChildren(results.length ? table(["result", "#requests", "#bytes"], results.map(r => [r.result, count(r.requests), size(r.bytes)]))
    : el("p", { className: "muted", textContent: "Nobody has asked for anything yet." }));
  $("live").textContent = "live, " + clock(s.time);
}

// A list that is read aloud when it changes is left alone while it does not.
function replaceIfOther(list, items, draw) {
  const text = JSON.stringify(items);
  if (list.dataset.text === text) return;
  list.dataset.text = text;
  list.replaceChildren(...items.map(draw));
}
