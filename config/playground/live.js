// Shows what has happened since: the page itself is asked again, and its live part takes the place of this one.
"use strict";
const live = document.getElementById("live");
async function look() {
  if (!document.hidden && !live.contains(document.activeElement)) {
    const answer = await fetch(location.href);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const now = page.getElementById("live");
    if (now && now.innerHTML !== live.innerHTML) live.innerHTML = now.innerHTML;
  }
  setTimeout(look, 500);
}
if (live) look();
