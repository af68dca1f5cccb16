// A run under way: the server tells of progress and of new data; nothing is
// loaded again but what changed.

function follow(address) {
  const events = new EventSource(address);
  const bar = $("live");
  bar.hidden = false;
  events.addEventListener("progress", (e) => drawLive(JSON.parse(e.data)));
  events.addEventListener("run", () =>
    fetch(document.body.dataset.data)
      .then((answer) => (answer.ok ? answer.json() : Promise.reject(new Error(answer.statusText))))
      .then(show)
      .catch(() => ($("live-text").textContent = "The server does not answer; the page goes on when it does.")));
  events.addEventListener("end", () => {
    events.close();
    $("live-text").textContent = "The search has finished.";
    $("live-bar").value = 1;
    $("flying").replaceChildren();
  });
  events.onerror = () => ($("live-text").textContent = "The server does not answer; the page goes on when it does.");
}

function drawLive(p) {
  $("live-bar").value = p.fraction;
  $("live-text").textContent = p.text;
  $("flying").replaceChildren(...p.candidates.map((c) =>
    element("li", {}, element("strong", {}, c.id), ` latent ${shape(c.latent)}, ${c.finetuning ? "finetuning, " : ""}epoch ${c.epoch} of ${c.epochs} `, sparkline(c.curve ?? []))));
}

// sparkline is a learning curve the size of a word.
function sparkline(values) {
  if (values.length < 2) return "";
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const points = values.map((v, i) => `${(i / (values.length - 1)) * 60},${14 - ((v - low) / (high - low || 1)) * 12}`).join(" ");
  return svgElement("svg", { width: 62, height: 16, role: "img", "aria-label": `validation loss ${values.map((v) => v.toFixed(4)).join(", ")}` },
    svgElement("polyline", { points, class: "spark" }));
}
