// Makes pages quicker to work with; each of them does everything without it.
"use strict";
// A form that was sent isn't sent twice.
addEventListener("submit", (event) => {
  if (event.defaultPrevented) return;
  const form = event.target;
  if (form.dataset.sent) { event.preventDefault(); return; }
  form.dataset.sent = "yes";
  // A page that is gone back to can be sent again.
  addEventListener("pageshow", () => { delete form.dataset.sent; }, { once: true });
});
// Parts that say how things stand are looked at again while somebody sees them.
const live = document.querySelector("[data-live]");
async function look() {
  if (!document.hidden) {
    try {
      const answer = await fetch(location.href, { headers: { accept: "text/html" }, redirect: "error" });
      if (answer.ok) {
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        const now = page.querySelector("[data-live]");
        const inUse = live.contains(document.activeElement);
        if (now && !inUse && now.innerHTML !== live.innerHTML) live.innerHTML = now.innerHTML;
      }
    } catch { /* Signed out, or no network: what stands here stays, with its time. */ }
  }
  setTimeout(look, 10000);
}
if (live) setTimeout(look, 10000);
// Keys: j and k go through the rows of a list, Enter opens, / goes to the search.
addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (/^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement.tagName)) return;
  if (event.key === "/") {
    const search = document.querySelector("input[type=search]");
    if (search) { event.preventDefault(); search.focus(); }
  }
  if (event.key !== "j" && event.key !== "k") return;
  const rows = [...document.querySelectorAll("[data-row]")];
  const at = rows.indexOf(document.activeElement);
  const next = rows[Math.max(0, Math.min(rows.length - 1, event.key === "j" ? at + 1 : at - 1))];
  if (next) next.focus();
});
