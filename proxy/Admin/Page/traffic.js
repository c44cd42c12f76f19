// The chart of traffic: what this page has seen itself, a point a second, or what the server remembers.
import { $, clock, count, get, getChanged, forget, hour, percent, size } from "./lib.js";

const live = [[], [], [], [], []];
let last = null, chart = null, drawn = "", span = "live", askedAt = 0;

// The rates since the last look, which become a point of the chart.
export function note(s) {
  const rates = { rps: 0, bps: 0, ups: 0 };
  if (last && s.uptimeSeconds > last.uptimeSeconds) {
    const dt = Math.max(0.1, s.uptimeSeconds - last.uptimeSeconds), rate = key => Math.max(0, s[key] - last[key]) / dt;
    Object.assign(rates, { rps: rate("requests"), bps: rate("bytesSent"), ups: rate("upstreamBytes") });
    [new Date(s.time).getTime() / 1000, rates.rps, rates.bps / 1e6, rates.ups / 1e6, null].forEach((v, i) => live[i].push(v));
    while (live[0][0] < live[0].at(-1) - 300) live.forEach(column => column.shift());
    $("chart").dataset.points = live[0].length;
    if (span === "live") draw(live);
  }
  last = s;
  return rates;
}

// What was before the page was opened, as the server remembers it: a point a minute.
async function recall() {
  const h = await get("history?span=day"), end = live[0][0] ?? Date.now() / 1000, seconds = h.intervalSeconds;
  const before = h.at.map((at, i) => [at, h.requests[i] / seconds, h.sentBytes[i] / seconds / 1e6, h.upstreamBytes[i] / seconds / 1e6, null])
    .filter(point => point[0] < end && point[0] > end - 300);
  live.forEach((column, i) => column.unshift(...before.map(point => point[i])));
  $("chart").dataset.points = live[0].length;
  if (span === "live" && live[0].length) draw(live);
}

// A minute is the finest that the server remembers.
export async function refresh(isNow) {
  if (span === "live" || (!isNow && Date.now() - askedAt < 60000)) return;
  const asked = span;
  const h = await getChanged("history?span=" + asked);
  askedAt = Date.now();
  if (h === undefined || asked !== span) return;
  const columns = [[], [], [], [], []], seconds = h.intervalSeconds;
  h.at.forEach((at, i) => {
    // While the server did not run there is no line.
    if (i > 0 && at - h.at[i - 1] > 1.5 * seconds) [h.at[i - 1] + seconds, null, null, null, null].forEach((v, c) => columns[c].push(v));
    const asked = h.hits[i] + h.misses[i];
    [at, h.requests[i] / seconds, h.sentBytes[i] / seconds / 1e6, h.upstreamBytes[i] / seconds / 1e6, asked ? 100 * h.hits[i] / asked : null].forEach((v, c) => columns[c].push(v));
  });
  const sum = column => column.reduce((a, b) => a + b, 0), hits = sum(h.hits), all = hits + sum(h.misses);
  $("span-note").textContent = h.at.length ? `${count(sum(h.requests))} requests, ${count(sum(h.refused))} of them refused; hits ${percent(all ? hits / all : null)}; ${size(sum(h.sentBytes))} to clients, ${size(sum(h.upstreamBytes))} from Stratum 1s`
    : "Nothing is remembered yet: the first point comes a minute after the start.";
  draw(columns);
}

function draw(columns) {
  const css = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const width = $("chart").clientWidth;
  if (chart && drawn === span) {
    chart.setData(columns);
    if (Math.abs(chart.width - width) > 4) chart.setSize({ width, height: 220 });
    return;
  }
  chart?.destroy();
  drawn = span;
  const least = { live: 60, day: 3600, month: 86400 }[span], when = span === "live" ? hour : at => clock(at).slice(5, 16);
  const axis = { stroke: () => css("--soft"), grid: { stroke: () => css("--line"), width: 1 } }, fromZero = { range: (u, from, to) => [0, Math.max(1, to * 1.1)] };
  const line = (label, color, digits, more) => ({ label, stroke: () => css(color), width: 2, spanGaps: false, value: (u, v) => v == null ? "–" : digits == null ? count(v) : v.toFixed(digits), ...more });
  chart = new uPlot({ width, height: 220,
    scales: { x: { range: u => { const times = u.data[0], end = times.at(-1) ?? Date.now() / 1000; return [Math.min(times[0] ?? end, end - least), end]; } }, y: fromZero, mb: fromZero, pc: { range: [0, 105] } },
    axes: [{ ...axis, values: (u, ticks) => ticks.map(t => when(t * 1000)), space: span === "live" ? 80 : 100 }, { ...axis, size: 60, label: "requests/s", labelSize: 18 }, { ...axis, scale: "mb", side: 1, grid: { show: false }, size: 48, label: "MB/s", labelSize: 18 }],
    series: [{ label: "at", value: (u, v) => v == null ? "–" : when(v * 1000) }, line("requests/s", "--d"), line("to clients MB/s", "--m", 1, { scale: "mb" }), line("from Stratum 1s MB/s", "--u", 1, { scale: "mb" }),
      line("hits %", "--j", 1, { scale: "pc", dash: [6, 4], show: span !== "live" })] }, columns, $("chart"));
}

export function start(fail) {
  recall().catch(() => { });   // the first look at the status says what is wrong
  document.querySelector(".spans").addEventListener("click", e => {
    const button = e.target.closest("button");
    if (!button) return;
    span = button.dataset.span;
    for (const other of document.querySelectorAll(".spans button")) other.setAttribute("aria-pressed", String(other === button));
    $("span-note").textContent = "";
    forget("history?span=" + span);
    if (span === "live") draw(live); else refresh(true).catch(fail);
  });
}
