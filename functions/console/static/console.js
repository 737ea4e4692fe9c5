// Improves the pages of the console; each of them works without it.
"use strict";

// Moments in the reader's own time zone.
for (const time of document.querySelectorAll("time[datetime]")) {
  const moment = new Date(time.dateTime);
  if (Number.isNaN(moment.getTime())) continue;
  time.title = time.textContent;
  time.textContent = moment.toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
}

// Copying what is to be published.
for (const button of document.querySelectorAll("[data-copy]")) {
  const said = document.querySelector("[data-said]");
  const text = document.getElementById(button.dataset.copy);
  if (!navigator.clipboard || !text) continue;
  button.hidden = false;
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text.textContent);
      said.textContent = "Copied.";
    } catch {
      getSelection().selectAllChildren(text);
      said.textContent = "Selected: copy it with the keyboard.";
    }
  });
}

// Forms that take a while say so, and are sent once.
for (const form of document.querySelectorAll("form")) {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) return event.preventDefault();
    form.dataset.sent = "yes";
    const button = form.querySelector("button");
    if (!form.dataset.busy || !button) return;
    button.textContent = form.dataset.busy;
    button.setAttribute("aria-live", "polite");
  });
}
addEventListener("pageshow", (event) => {
  if (event.persisted) for (const form of document.forms) delete form.dataset.sent;
});

// Downloads that say how far they are.
for (const download of document.querySelectorAll("[data-download]")) {
  const progress = download.querySelector("[data-progress]");
  const start = download.querySelector("[data-start]");
  const { download: url, file } = download.dataset;
  let running = false;
  const run = async () => {
    if (running) return;
    running = true;
    start.setAttribute("aria-disabled", "true");
    try {
      progress.textContent = "The download begins…";
      const response = await fetch(url);
      if (!response.ok) throw new Error(`the answer is ${response.status}`);
      const parts = [];
      let bytes = 0;
      let lines = 0;
      let saidAt = 0;
      for (const reader = response.body.getReader(); ; ) {
        const { done, value } = await reader.read();
        if (done) break;
        parts.push(value);
        bytes += value.length;
        for (const byte of value) if (byte === 10) lines += 1;
        // Not more often than a screen reader can speak.
        if (performance.now() - saidAt > 2000) {
          saidAt = performance.now();
          progress.textContent = `${lines.toLocaleString()} lines so far, ${size(bytes)}.`;
        }
      }
      const link = document.createElement("a");
      link.href = URL.createObjectURL(new Blob(parts, { type: response.headers.get("content-type") }));
      link.download = file;
      link.click();
      progress.textContent = `${file} is complete: ${size(bytes)}.`;
    } catch (error) {
      progress.textContent = `The download broke off (${error.message}). Nothing was saved. Load this page again to repeat it.`;
    }
    start.removeAttribute("aria-disabled");
    running = false;
  };
  start.addEventListener("click", (event) => {
    event.preventDefault();
    run();
  });
  run();
}

function size(bytes) {
  return bytes < 1e6 ? `${Math.ceil(bytes / 1e3).toLocaleString()} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}
