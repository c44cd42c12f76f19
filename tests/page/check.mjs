// The status page in real headless Chromium, by its DevTools protocol (Node 22, or 20 with --experimental-websocket, and chromium; nothing else).
// Usage: node --experimental-websocket check.mjs ADMIN_URL TOKEN SCREENSHOT_DIRECTORY, while VMs boot through the proxy. Exit code 1 when something is not as it must be.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const [url, token, shots] = process.argv.slice(2);
const profile = mkdtempSync(join(tmpdir(), "breakwater-page-"));
const chromium = spawn("chromium", ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run",
  "--hide-scrollbars", `--user-data-dir=${profile}`, "--remote-debugging-port=0", "about:blank"], { stdio: ["ignore", "ignore", "pipe"] });
const problems = [], sleep = ms => new Promise(r => setTimeout(r, ms));
const expect = (ok, what) => { console.log((ok ? "ok    " : "WRONG ") + what); if (!ok) problems.push(what); };
const deadline = setTimeout(() => { console.error("WRONG it took more than 60 s"); chromium.kill("SIGKILL"); process.exit(1); }, 60000);

try {
  const browser = await new Promise((done, fail) => { let text = ""; chromium.on("exit", () => fail(new Error("chromium ended: " + text)));
    chromium.stderr.on("data", d => { text += d; const m = /ws:\/\/([^/]+)\//.exec(text); if (m) done(m[1]); }); });
  const target = (await (await fetch(`http://${browser}/json/list`)).json()).find(t => t.type === "page");
  const socket = new WebSocket(target.webSocketDebuggerUrl);
  await new Promise(r => socket.onopen = r);
  let next = 1; const waiting = new Map(), errors = [], hosts = new Set();
  let expectRefusal = false;
  socket.onmessage = e => { const m = JSON.parse(e.data); if (m.id) { waiting.get(m.id)(m.result ?? m.error); return; }
    if (m.method === "Network.requestWillBeSent") hosts.add(new URL(m.params.request.url).host);
    if (m.method === "Runtime.exceptionThrown") errors.push(m.params.exceptionDetails.text);
    if (m.method === "Log.entryAdded" && m.params.entry.level === "error" && !expectRefusal) errors.push(m.params.entry.text + " " + m.params.entry.url); };
  const send = (method, params = {}) => new Promise(r => { const id = next++; waiting.set(id, r); socket.send(JSON.stringify({ id, method, params })); });
  const run = async expression => (await send("Runtime.evaluate", { expression, awaitPromise: true, returnByValue: true })).result?.value;
  const until = async (expression, seconds = 15) => { for (let i = 0; i < seconds * 10; i++) { if (await run(expression)) return true; await sleep(100); } return false; };
  const shot = async (name, width, height, scheme) => { await send("Emulation.setDeviceMetricsOverride", { width, height, deviceScaleFactor: 1, mobile: width < 600 });
    await send("Emulation.setEmulatedMedia", { features: [{ name: "prefers-color-scheme", value: scheme }] }); await sleep(1500);
    const overflow = await run("document.documentElement.scrollWidth - document.documentElement.clientWidth"); expect(overflow <= 0, `${name}: nothing is wider than the window`);
    writeFileSync(join(shots, name + ".png"), Buffer.from((await send("Page.captureScreenshot")).data, "base64")); };

  await Promise.all(["Page", "Runtime", "Network", "Log"].map(d => send(d + ".enable")));
  await send("Page.navigate", { url });
  expect(await until("document.querySelector('#t-requests b') !== null"), "the headline is there");
  const before = await run("document.querySelector('#t-requests b').textContent");
  expect(await until(`document.querySelector('#t-requests b').textContent !== ${JSON.stringify(before)}`), `numbers move (requests were ${before})`);
  expect(await until("document.querySelectorAll('.boot').length > 0"), "boots are shown");
  expect(await until("document.querySelector('#chart canvas') !== null"), "the chart is drawn");
  await shot("light", 1280, 1500, "light"); await shot("dark", 1280, 1500, "dark"); await shot("phone", 390, 1500, "light");
  await run("document.querySelector('.boot').click()");
  expect(await until("document.querySelector('#details').open && document.querySelectorAll('#details-body tbody tr').length >= 10"), "a boot timeline opens with its requests");
  await run("document.querySelector('#details').close()");
  expect(await until("document.querySelector('#action').options.length > 0"), "there are actions");
  const act = async t => { await run(`document.querySelector('#token').value = ${JSON.stringify(t)}; document.querySelector('#action-form').requestSubmit()`); await until("!['', '…'].includes(document.querySelector('#action-result').textContent)"); const text = await run("document.querySelector('#action-result').textContent"); await run("document.querySelector('#action-result').textContent = ''"); return text; };
  await run("{ const s = document.querySelector('#action'); s.value = [...s.options].map(o => o.value).find(v => /verify|scrub|warm/.test(v)) ?? s.value }");
  expect(/^Refused/.test(await act("")), "an action without the token is refused");
  expectRefusal = true; expect(/^401/.test(await act("wrong-token-wrong-token")), "an action with a wrong token is refused by the server"); await sleep(300); expectRefusal = false;
  const answer = await act(token); expect(!/^(401|Refused|5)/.test(answer), "an action with the token reaches its room: " + answer.slice(0, 100));
  expect(errors.length === 0, "no console errors " + errors.join("; "));
  expect([...hosts].every(h => h === new URL(url).host), "no request leaves for another host: " + [...hosts].join(", "));
  socket.close();
} catch (e) { expect(false, e.stack); }
clearTimeout(deadline);
chromium.removeAllListeners("exit"); chromium.kill("SIGKILL"); await sleep(300);
rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
process.exit(problems.length ? 1 : 0);
