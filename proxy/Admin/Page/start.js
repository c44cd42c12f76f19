"use strict";
$("token").value = sessionStorage.getItem("token") || "";
let turn = 0;
async function tick() {
  try {
    const s = await get("status"); traffic(s); headline(s); offer(s.actions);
    boots(await get("boots?limit=100"));
    if (turn++ % 5 === 0) await rooms(s);
    $("live").textContent = "live, " + new Date(s.time).toLocaleTimeString();
  } catch (e) { $("live").textContent = "no answer: " + e.message; }
  setTimeout(tick, document.hidden ? 5000 : 1000);
}
tick();
