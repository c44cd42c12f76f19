import * as boots from "./boots.js";
import { $, get } from "./lib.js";
import { offer } from "./actions.js";
import { showRooms } from "./rooms.js";
import { showStatus } from "./status.js";
import { note } from "./traffic.js";

// The page asks for the status each second, which costs the proxy less than an open stream for each viewer; for the rest only when the
// status, or the tag of an answer, says that it has changed; for nothing while nobody sees it.
let turn = 0, isRunning = false, status = null;
const stale = is => { document.body.classList.toggle("stale", is); $("live").classList.toggle("bad", is); };
const ask = () => { if (status) boots.refresh(status.bootsVersion).catch(fail); };

function fail(e) {
  $("live").textContent = "no answer, asking again: " + e.message;
  stale(true);
}

async function tick() {
  if (isRunning) return;
  isRunning = true;
  try {
    status = await get("status");
    showStatus(status, note(status));
    offer(status.actions);
    await boots.refresh(status.uptimeSeconds < 5 ? status.bootsVersion + " " + status.uptimeSeconds : status.bootsVersion);
    if (turn++ % 5 === 0) await showRooms(status);
    stale(false);
  } catch (e) { fail(e); }
  isRunning = false;
  if (!document.hidden) setTimeout(tick, 1000);
}

document.addEventListener("visibilitychange", () => { if (!document.hidden) tick(); });
boots.start(ask);
tick();
