// The chart of traffic.
import { $, count, hour } from "./lib.js";

const series = [[], [], [], []];
let last = null, chart = null;

// The rates since the last look, which become a point of the chart.
export function note(s) {
  const rates = { rps: 0, bps: 0, ups: 0 };
  if (last && s.uptimeSeconds > last.uptimeSeconds) {
    const dt = Math.max(0.1, s.uptimeSeconds - last.uptimeSeconds), rate = key => Math.max(0, s[key] - last[key]) / dt;
    Object.assign(rates, { rps: rate("requests"), bps: rate("bytesSent"), ups: rate("upstreamBytes") });
    [new Date(s.time).getTime() / 1000, rates.rps, rates.bps / 1e6, rates.ups / 1e6].forEach((v, i) => { series[i].push(v); if (series[i].length > 300) series[i].shift(); });
    $("chart").dataset.points = series[0].length;
    draw();
  }
  last = s;
  return rates;
}

function draw() {
  const css = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const width = $("chart").clientWidth;
  if (!chart) {
    const axis = { stroke: () => css("--soft"), grid: { stroke: () => css("--line"), width: 1 } }, fromZero = { range: (u, from, to) => [0, Math.max(1, to * 1.1)] };
    const megabytes = { scale: "mb", width: 2, value: (u, v) => v == null ? "–" : v.toFixed(1) };
    chart = new uPlot({ width, height: 220,
      scales: { x: { range: u => { const times = u.data[0], end = times.at(-1) ?? Date.now() / 1000; return [Math.min(times[0] ?? end, end - 60), end]; } }, y: fromZero, mb: fromZero },
      axes: [{ ...axis, values: (u, ticks) => ticks.map(t => hour(t * 1000)), space: 80 }, { ...axis, size: 60, label: "requests/s", labelSize: 18 }, { ...axis, scale: "mb", side: 1, grid: { show: false }, size: 48, label: "MB/s", labelSize: 18 }],
      series: [{ label: "at", value: (u, v) => v == null ? "–" : hour(v * 1000) }, { label: "requests/s", stroke: () => css("--d"), width: 2, value: (u, v) => v == null ? "–" : count(v) },
        { ...megabytes, label: "to clients MB/s", stroke: () => css("--m") }, { ...megabytes, label: "from Stratum 1s MB/s", stroke: () => css("--u") }] }, series, $("chart"));
  } else {
    chart.setData(series);
    if (Math.abs(chart.width - width) > 4) chart.setSize({ width, height: 220 });
  }
}
