// The panel of one training: figures, pictures, network, curve, lineage, what
// classifiers made of its latents, and the commands that use it.

function drawPanel() {
  const panel = $("panel");
  const t = byID.get(state.selected);
  panel.hidden = !t;
  if (!t) return;
  const member = data.members.find((m) => m.id === t.id);
  const f = figuresOf(t);
  panel.replaceChildren(
    element("header", {},
      element("h2", { id: "panel-title" }, t.id, member ? "" : " (not on the front)"),
      element("button", { type: "button", class: "close", "aria-label": "Close", onclick: () => select(null) }, "×")),
    f ? figuresTable(t, f) : element("p", {}, `No figures: ${t.cause ?? "not trained"}`),
    ...pictures(member),
    ...network(member),
    element("h3", {}, "Recipe and genes"),
    recipe(t),
    ...curve(t),
    ...lineage(t),
    ...heads(t),
    ...commands(t));
  drawPanelCurve(t);
}

function figuresTable(t, f) {
  const p = pcaAt(t.values);
  const row = (name, key, digits) => element("tr", {},
    element("th", { scope: "row" }, name), element("td", {}, fixed(valueOf(f, key), digits)), element("td", {}, p ? fixed(valueOf(p, key), digits) : "–"));
  return element("div", {},
    element("p", {}, `Latent ${shape(t.latent)}: ${countValues(t.values)}, ${fixed(data.run.values / t.values, 1)}× fewer than the image. ${count(t.params)} parameters, ${count(t.flops)} multiply-adds an image.`),
    element("table", { class: "figures" },
      element("thead", {}, element("tr", {}, element("th", { scope: "col" }, "validation images"), element("th", { scope: "col" }, "this"), element("th", { scope: "col" }, "PCA"))),
      element("tbody", {}, row("BCE, nats", "bce", 4), row("excess BCE", "excess", 4), row("MSE", "mse", 5), row("PSNR, dB", "psnr", 1), row("SSIM", "ssim", 3))),
    element("p", { class: "note" }, p ? "PCA has as many values." : "PCA can't have so many values here."));
}

function pictures(member) {
  if (!member?.pictures?.length) return [];
  return [
    element("h3", {}, "Validation images"),
    element("div", { class: "strips", tabindex: "0", role: "region", "aria-label": "Validation images and what becomes of them" },
      ...member.pictures.map((p) => element("figure", {},
        element("figcaption", {}, p.caption),
        element("img", { src: p.url, alt: p.alt, class: "pixels", width: p.width, height: p.height })))),
  ];
}

// network draws the layers: a bar is as high as the activation's side and as
// wide as its channels, both by their logarithm.
function network(member) {
  if (!member?.layers?.length) return [];
  const side = (s) => 8 + 14 * Math.log2(1 + Math.max(s[1], s[2]));
  const width = (s) => 3 + 4 * Math.log2(1 + s[0]);
  const kinds = [...new Set(member.layers.map((l) => l.kind))];
  let x = 4;
  const bars = member.layers.map((l) => {
    const [h, w] = [side(l.shape), width(l.shape)];
    const bar = svgElement("rect", { x, y: 60 - h / 2, width: w, height: h, rx: 1.5, class: `layer k${kinds.indexOf(l.kind) % 8}${l.latent ? " latent" : ""}` },
      svgElement("title", {}, document.createTextNode(`${l.name}: ${shape(l.shape)}, ${count(l.params)} parameters, ${count(l.flops)} multiply-adds`)));
    x += w + 3;
    return bar;
  });
  const table = element("table", {},
    element("thead", {}, element("tr", {}, ...["layer", "output", "parameters", "multiply-adds"].map((h) => element("th", { scope: "col" }, h)))),
    element("tbody", {}, ...member.layers.map((l) => element("tr", { class: l.latent ? "latent" : null },
      element("td", {}, element("span", { class: `key k${kinds.indexOf(l.kind) % 8}` }), ` ${l.name}${l.latent ? " = latent" : ""}`),
      element("td", {}, shape(l.shape)), element("td", {}, count(l.params)), element("td", {}, count(l.flops))))));
  return [
    element("h3", {}, "Network"),
    element("div", { class: "wide", tabindex: "0", role: "region", "aria-label": "Drawing of the network" },
      svgElement("svg", { viewBox: `0 0 ${x + 4} 120`, width: x + 4, height: 120, role: "img", "aria-label": `${member.layers.length} layers, listed in the table below` }, ...bars)),
    element("details", {}, element("summary", {}, `Layers (${member.layers.length})`),
      element("div", { class: "wide", tabindex: "0", role: "region", "aria-label": "Layers" }, table)),
  ];
}

function recipe(t) {
  const pairs = [["optimiser", t.recipe.optimizer], ["learning rate", t.recipe.learning_rate.toPrecision(3)], ["schedule", t.recipe.schedule],
    ["epochs", `${t.epochs}, best ${t.best_epoch}`], ["training time", duration(t.seconds)],
    ["began with", t.inherited && `${(100 * t.inherited.share).toFixed(0)} % of ${t.inherited.from}'s weights`], ...data.genes.map((g) => [g.name, t.genes[g.name]])];
  return element("dl", {}, ...pairs.filter(([, v]) => v != null && v !== "undefined").flatMap(([k, v]) => [element("dt", {}, k), element("dd", {}, String(v))]));
}

const curve = (t) => (t.curve?.length ? [element("h3", {}, "Learning curve"), element("div", { id: "panel-curve" }, element("div", { class: "plot small", role: "img", "aria-label": "Validation loss by epoch" }))] : []);

function drawPanelCurve(t) {
  charts.get("panel-curve")?.dispose();
  charts.delete("panel-curve");
  if (t.curve?.length) chart("panel-curve", curvesOption([t], t.id));
}

// lineage lists where a training comes from, a generation a line.
function lineage(t) {
  const known = t.parents.filter((id) => byID.has(id));
  if (!known.length) return [element("h3", {}, "Lineage"), element("p", {}, "Drawn at random, without parents.")];
  const lines = [];
  let level = known;
  const seen = new Set([t.id]);
  while (level.length && lines.length < 8) {
    const next = [];
    lines.push(element("li", {}, ...[...new Set(level)].flatMap((id) => {
      seen.add(id);
      const parent = byID.get(id);
      next.push(...parent.parents.filter((p) => byID.has(p) && !seen.has(p)));
      return [element("button", { type: "button", class: "id", onclick: () => select(id) }, id),
        ` ${fixed(valueOf(figuresOf(parent)), measures[state.measure].digits)} at ${countValues(parent.values)}  `];
    })));
    level = next;
  }
  return [element("h3", {}, "Lineage"), element("p", { class: "note" }, `Parents first, then theirs. ${measures[state.measure].name}.`), element("ol", { class: "lineage" }, ...lines)];
}

function heads(t) {
  const rows = data.heads.filter((h) => h.id === t.id);
  if (!rows.length) return [];
  return [
    element("h3", {}, "Use that survived, test images"),
    element("table", {},
      element("thead", {}, element("tr", {}, ...["head", "accuracy", "95 %", "PCA's"].map((h) => element("th", { scope: "col" }, h)))),
      element("tbody", {}, ...rows.map((h) => element("tr", { title: h.stale ? "measured with other weights" : null },
        element("td", {}, h.head + (h.stale ? " (other weights)" : "")), element("td", {}, fixed(h.accuracy, 4)),
        element("td", {}, `${fixed(h.interval[0], 4)}–${fixed(h.interval[1], 4)}`), element("td", {}, fixed(h.pca, 4)))))),
  ];
}

function commands(t) {
  if (!t.search || !data.commands.length) return [];
  return [element("h3", {}, "Take it"),
    ...data.commands.flatMap((c) => [element("p", { class: "note" }, c.name), commandLine(c.line.replaceAll("{id}", t.id))])];
}
