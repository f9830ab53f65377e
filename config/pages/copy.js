// Puts a copy button beside each value that has to be typed into a banking app. Without it the page is whole.
"use strict";
for (const value of document.querySelectorAll("[data-copy]")) {
  if (!navigator.clipboard) break;
  const { copy, label, done } = value.dataset;
  const button = document.createElement("button");
  button.type = "button";
  button.className = "copy";
  button.textContent = label;
  button.setAttribute("aria-label", `${label}: ${value.dataset.what}`);
  const status = document.createElement("span");
  status.className = "copied";
  status.setAttribute("role", "status");
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(copy);
    status.textContent = done;
    setTimeout(() => { status.textContent = ""; }, 4000);
  });
  value.append(button, status);
}
