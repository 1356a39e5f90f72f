"use strict";
// Times as they are where somebody looks, and how long something took in words.

function moment(text) {
  const at = new Date(text), today = at.toDateString() === new Date().toDateString();
  const time = at.toLocaleTimeString([], { hourCycle: "h23" });
  return today ? time : `${at.toLocaleDateString([], { year: "numeric", month: "short", day: "numeric" })} ${time}`;
}

function duration(seconds) {
  const s = Math.round(seconds);
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${s % 60} s`;
  if (s < 86400) return `${Math.floor(s / 3600)} h ${Math.floor(s % 3600 / 60)} min`;
  return `${Math.floor(s / 86400)} d ${Math.floor(s % 86400 / 3600)} h`;
}

for (const each of document.querySelectorAll("time")) each.textContent = moment(each.dateTime);
for (const each of document.querySelectorAll("[data-lasted]")) each.textContent = `lasted ${duration(Number(each.dataset.lasted))}`;
