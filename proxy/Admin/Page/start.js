"use strict";
$("token").value = sessionStorage.getItem("token") || "";
let turn = 0;
const stale = is => { document.body.classList.toggle("stale", is); $("live").classList.toggle("bad", is); };
async function tick() {
  try {
    const s = await get("status"); traffic(s); headline(s); offer(s.actions);
    boots(await get("boots?limit=100"));
    if (turn++ % 5 === 0) await rooms(s);
    $("live").textContent = "live, " + hour(s.time);
    stale(false);
  } catch (e) { $("live").textContent = "no answer, asking again: " + e.message; stale(true); }
  setTimeout(tick, document.hidden ? 5000 : 1000);
}
tick();
