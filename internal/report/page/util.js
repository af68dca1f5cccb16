// Small things that every part of the page uses.

const $ = (id) => document.getElementById(id);

// element makes an element. Texts are set as texts, so that no name in the data
// can become markup.
function element(tag, attributes = {}, ...children) {
  const e = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) e.addEventListener(name.slice(2), value);
    else if (value === true) e.setAttribute(name, "");
    else if (value !== false && value != null) e.setAttribute(name, value);
  }
  e.append(...children.filter((c) => c != null));
  return e;
}

function svgElement(tag, attributes = {}, ...children) {
  const e = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) e.setAttribute(name, value);
  e.append(...children.filter((c) => c != null));
  return e;
}

const fixed = (v, digits) => (v == null || !isFinite(v) ? "–" : v.toFixed(digits));
const count = (v) => (v == null ? "–" : v.toLocaleString("en-US"));
const countValues = (n) => `${count(n)} ${n === 1 ? "value" : "values"}`;
const shape = (s) => (s ? s.join("×") : "–");

function duration(seconds) {
  if (seconds == null || !isFinite(seconds)) return "–";
  const s = Math.round(seconds);
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${s % 60} s`;
  return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
}

// download offers content as a file.
function download(name, type, content) {
  const url = URL.createObjectURL(content instanceof Blob ? content : new Blob([content], { type }));
  const a = element("a", { href: url, download: name });
  document.body.append(a);
  a.click();
  a.remove();
  setTimeout(() => URL.revokeObjectURL(url), 10000);
}

const csvCell = (v) => (/[",\n\r]/.test(v) ? `"${v.replaceAll('"', '""')}"` : v);
const csvOf = (head, rows) =>
  [head, ...rows].map((r) => r.map((v) => csvCell(v == null ? "" : String(v))).join(",")).join("\n") + "\n";

// copyButton copies text, and says so.
function copyButton(text) {
  const button = element("button", { type: "button", class: "copy" }, "Copy");
  button.addEventListener("click", async () => {
    button.textContent = (await copy(text)) ? "Copied" : "Select and copy it by hand";
    setTimeout(() => (button.textContent = "Copy"), 1500);
  });
  return button;
}

// copy needs no permission where the page is a file.
async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = element("textarea", { class: "away", readonly: true });
    area.value = text;
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  }
}

function commandLine(text) {
  return element("div", { class: "command" }, element("code", {}, text), copyButton(text));
}

// dataTable is a plain table behind a plot, filled when it is opened.
function fillDetails(details, head, rows) {
  const fill = () => {
    if (!details.open) return;
    details.querySelector("div")?.remove();
    details.append(
      element("div", { class: "wide", tabindex: "0", role: "region", "aria-label": details.dataset.label },
        element("table", {},
          element("thead", {}, element("tr", {}, ...head.map((h) => element("th", { scope: "col" }, h)))),
          element("tbody", {}, ...rows().map((r) => element("tr", {}, ...r.map((v) => element("td", {}, String(v)))))))));
  };
  details.ontoggle = fill;
  fill();
}
