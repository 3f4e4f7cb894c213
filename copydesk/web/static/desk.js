// Comfort only: every page works without it.
"use strict";

// Times in the reader's zone; UTC stays in the tooltip.
const forms = {
  full: { dateStyle: "medium", timeStyle: "short" },
  clock: { hour: "2-digit", minute: "2-digit", hourCycle: "h23" },
  // Lists are divided by days of UTC. In the reader's zone it may be the day before or after.
  clockOfOtherDay: { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23" },
};
function localDay(at) {
  const two = (number) => String(number).padStart(2, "0");
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
}
for (const time of document.querySelectorAll("time[data-form]")) {
  const at = new Date(time.dateTime);
  if (Number.isNaN(at.getTime())) continue;
  const day = time.closest("[data-day]")?.dataset.day;
  const form = day && day !== localDay(at) ? "clockOfOtherDay" : time.dataset.form;
  time.textContent = new Intl.DateTimeFormat(undefined, forms[form]).format(at);
}
for (const zone of document.querySelectorAll("[data-zone]")) {
  zone.textContent = Intl.DateTimeFormat().resolvedOptions().timeZone;
}

// "/" goes to the search box; j and k walk through lists.
document.addEventListener("keydown", (event) => {
  const inField = event.target.matches("input, select, textarea");
  if (inField || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "/") {
    event.preventDefault();
    document.querySelector("#q")?.focus();
    return;
  }
  if (event.key !== "j" && event.key !== "k") return;
  const links = [...document.querySelectorAll("[data-row] a[data-main]")];
  if (!links.length) return;
  const at = links.indexOf(document.activeElement);
  const next = event.key === "j" ? Math.min(at + 1, links.length - 1) : Math.max(at - 1, 0);
  links[next].focus();
});

// Back shows what the page answers, and not what was typed into it afterwards.
addEventListener("pageshow", (event) => {
  if (event.persisted) document.querySelectorAll("form").forEach((form) => form.reset());
});
