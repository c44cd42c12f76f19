import * as boots from "./boots.js";
import { $, findSession, get } from "./lib.js";
import { offer } from "./actions.js";
import { showRooms } from "./rooms.js";
import { showStatus } from "./status.js";
import * as traffic from "./traffic.js";

// The page asks for the status each second, which costs the proxy less than an open stream for each viewer; for the rest only when the
// status, or the tag of an answer, says that it has changed; for nothing while nobody sees it.
let turn = 0, isRunning = false, status = null, server = 0, timer = 0;
const stale = is => { document.body.classList.toggle("stale", is); $("live").classList.toggle("bad", is); };
const version = () => server + "." + status.bootsVersion;
const ask = () => { if (status) boots.refresh(version()).catch(fail); };

function fail(e) {
  if (e.status === 401) { location.replace("/login.html"); return; }
  $("live").textContent = "no answer, asking again: " + e.message;
  stale(true);
}

async function tick() {
  if (isRunning) return;
  isRunning = true;
  clearTimeout(timer);
  try {
    if (!status) await findSession();
    const before = status;
    status = await get("status");
    if (status.uptimeSeconds < before?.uptimeSeconds) server++;   // another process, which counts from the begin
    showStatus(status, traffic.note(status));
    offer(status.actions);
    await boots.refresh(version());
    await traffic.refresh();
    if (turn++ % 5 === 0) await showRooms(status);
    stale(false);
  } catch (e) { fail(e); }
  isRunning = false;
  if (!document.hidden) timer = setTimeout(tick, 1000);
}

document.addEventListener("visibilitychange", () => { if (!document.hidden) tick(); });
boots.start(ask);
traffic.start(fail);
tick();
