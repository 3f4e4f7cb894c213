// Comfort only: every page works without it.
"use strict";

// Times in the reader's zone; UTC stays in the tooltip.
const forms = {
  full: { dateStyle: "medium", timeStyle: "short" },
  clock: { hour: "2-digit", minute: "2-digit", hourCycle: "h23" },
};
for (const time of document.querySelectorAll("time[data-form]")) {
  const at = new Date(time.dateTime);
  const format = new Intl.DateTimeFormat(undefined, forms[time.dataset.form]);
  if (!Number.isNaN(at.getTime())) time.textContent = format.format(at);
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

// A choice in a filter is applied at once.
for (const form of document.querySelectorAll("form[data-apply]")) {
  for (const select of form.querySelectorAll("select")) {
    select.addEventListener("change", () => form.requestSubmit());
  }
}
