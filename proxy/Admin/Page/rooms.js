// What the other rooms of the admin API tell: a card each. Those without a drawing of their own are shown as plain tables.
import { $, clock, count, el, getChanged, forget, meter, pairs, percent, region, size, table } from "./lib.js";

const days = date => Math.floor((new Date(date) - Date.now()) / 86400000);
const left = date => { if (!date) return "–"; const d = days(date); return el("span", { className: d < 0 ? "bad" : d < 7 ? "degraded" : "", textContent: d < 0 ? "expired" : d + (d === 1 ? " day" : " days") }); };

// The working sets of a repository are pinned together, for each revision anew: the newest pin tells how much of them is here.
let pinned = [];
const completeness = repository => { const p = pinned.filter(x => x.name.startsWith("workingset/" + repository + "/")).sort((a, b) => a.name < b.name ? -1 : 1).at(-1); return p ? share(p) : "not fetched ahead yet"; };
const share = p => meter(p.presentObjects, p.objects, percent(p.objects ? p.presentObjects / p.objects : null), "complete");

const drawings = {
  "repositories": ["Repositories", list => table(["*repository", "#revision", "trust", "whitelist", "checked", "prefetch", "*note"], list.map(r => [r.repository, r.revision ?? "–",
    el("span", { className: r.trust === "verified" ? "good" : "degraded", textContent: r.trust }), left(r.whitelistExpiresAt), clock(r.checkedAt),
    r.prefetch ? meter(r.prefetch.present + r.prefetch.fetched, r.prefetch.total, `${count(r.prefetch.present + r.prefetch.fetched)} of ${count(r.prefetch.total)}${r.prefetch.failed ? ", " + r.prefetch.failed + " not to be had" : ""}`) : "–",
    r.lastRefusal || (r.heldRevision ? "revision " + r.heldRevision + " is being prepared" : "")]))],
  "working-sets": ["Working sets", list => table(["*repository", "*name", "complete", "source", "*snapshots", "#entries", "#boots", "updated"], list.map(w => [w.repository, w.name, completeness(w.repository), w.source, w.snapshots.map(x => x || "newest").join(", "), count(w.entries), count(w.boots), clock(w.updatedAt)]))],
  "store": ["Store", s => pairs([["used", meter(s.usedBytes, s.quotaBytes, size(s.usedBytes) + " of " + size(s.quotaBytes))], ["objects, documents", count(s.objects) + ", " + count(s.documents)],
    ["new, kept", size(s.freshBytes) + ", " + size(s.keptBytes)], ["pinned", size(s.pinnedBytes)], ["evicted objects", count(s.evictedObjects)], ["damaged objects found", el("span", { className: s.damagedObjects ? "bad" : "", textContent: count(s.damagedObjects) })],
    ["written again by the cleaner", size(s.rewrittenBytes) + " of " + size(s.storedBytes) + " stored"], ["writes", s.writeFailure ? el("span", { className: "bad", textContent: s.writeFailure }) : "taken"]])],
  "http": ["Ordinary HTTP", h => el("div", {}, pairs([["used", meter(h.usedBytes, h.quotaBytes, size(h.usedBytes) + " of " + size(h.quotaBytes))], ["URLs stored", count(h.storedUrls)], ["evicted slices", count(h.evictedSlices)]]),
    h.results.length ? table(["result", "#requests", "#bytes"], h.results.map(r => [r.result, count(r.requests), size(r.bytes)])) : el("span", { className: "muted", textContent: "nobody has asked for a destination or site yet" }))],
  "store/pins": ["Pins", list => table(["*pin", "complete", "#objects", "#bytes here"], list.map(p => [p.name, share(p), count(p.objects), size(p.presentBytes)]))],
  "seeds": ["Seeds", list => table(["*seed", "imported", "#objects", "#bytes", "*repositories"], list.map(s => [s.name, clock(s.importedAt), count(s.objects), size(s.objectBytes),
    s.repositories.map(r => `${r.fqrn} revision ${r.revision}${r.isVerified ? "" : ", unverified"}`).join("; ")]))],
};
// Every object of the store, or URL, is too much to ask for every five seconds; others have a place of their own.
const unseen = ["status", "boots", "storms", "history", "session", "openapi.json", "store/objects", "seeds/bootable", "http/stored", "pins"];
const order = Object.keys(drawings);
const rank = path => order.includes(path) ? order.indexOf(path) : order.length;
const title = path => drawings[path]?.[0] ?? path.charAt(0).toUpperCase() + path.slice(1).replace(/[-/]/g, " ");

function plain(value) {
  if (value === null || typeof value !== "object") return typeof value === "number" && value > 1e6 ? count(value) : String(value);
  if (Array.isArray(value)) {
    if (!value.length) return "none";
    if (typeof value[0] !== "object" || value[0] === null) return value.join(", ");
    const keys = [...new Set(value.flatMap(Object.keys))].slice(0, 10);
    return table(keys.map(k => "*" + k), value.slice(0, 100).map(v => keys.map(k => v[k] === undefined ? "" : plain(v[k]))));
  }
  return pairs(Object.entries(value).map(([k, v]) => [k, plain(v)]));
}

function card(path) {
  const id = "room-" + path.replace(/\W/g, "-");
  if (!$(id)) $("rooms").append(el("section", { className: "card", id, "aria-labelledby": id + "-title" }, el("h2", { id: id + "-title", textContent: title(path) }), region(id + "-body", title(path) + ", table")));
  return $(id).lastChild;
}

export async function showRooms(s) {
  const paths = s.reads.map(p => p.replace(/^\//, "")).filter(p => !p.includes("{") && !unseen.includes(p)).sort((a, b) => rank(a) - rank(b));
  paths.forEach(card);
  // The pins first: how much of a working set is here follows from them.
  if (paths.includes("store/pins")) {
    const pins = await getChanged("store/pins").catch(() => undefined);
    if (pins) { pinned = pins; fill("store/pins", pins, s); forget("working-sets"); }
  }
  for (const path of paths.filter(p => p !== "store/pins")) {
    try {
      const value = await getChanged(path);
      if (value !== undefined) fill(path, value, s);
    } catch (e) { card(path).textContent = e.message; forget(path); }
  }
}

function fill(path, value, s) {
  const body = card(path);
  body.replaceChildren(Array.isArray(value) && !value.length ? el("span", { className: "muted", textContent: "none" }) : drawings[path] ? drawings[path][1](value) : plain(value));
  if (path === "seeds" && s.bootable.length) body.append(el("ul", {}, ...s.bootable.map(b => el("li", { textContent: b }))));
  if (path === "repositories") $("known-repositories").replaceChildren(...value.map(r => el("option", { value: r.repository })));
}
