const $ = id => document.getElementById(id);
$("plain").hidden = window.isSecureContext;    // TLS, or this very machine
$("token").focus();
$("login").addEventListener("submit", async e => {
  e.preventDefault();
  $("problem").textContent = "";
  try {
    const body = JSON.stringify({ token: $("token").value, isEncrypted: location.protocol === "https:" });
    const response = await fetch("/api/v1/session", { method: "POST", headers: { "Content-Type": "application/json" }, body });
    if (response.ok) { location.replace("/"); return; }
    const problem = await response.json().catch(() => ({}));
    $("problem").textContent = problem.detail ?? response.status + " " + response.statusText;
  } catch (problem) { $("problem").textContent = "The server does not answer: " + problem.message; }
  $("token").select();
});
