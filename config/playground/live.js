// Shows what has happened since: the page itself is asked again, and its live part takes the place of this one.
"use strict";
const live = document.getElementById("live");
let pressed = false;
addEventListener("pointerdown", () => { pressed = true; });
addEventListener("pointerup", () => { setTimeout(() => { pressed = false; }, 100); });
async function look() {
  if (!document.hidden) {
    const answer = await fetch(location.href);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const now = page.getElementById("live");
    // Nothing is taken away under somebody's finger or focus.
    const inUse = pressed || live.contains(document.activeElement);
    if (now && !inUse && now.innerHTML !== live.innerHTML) live.innerHTML = now.innerHTML;
  }
  setTimeout(look, 500);
}
if (live) look();
