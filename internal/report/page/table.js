// The table of members, or of all trainings: sorted, filtered, ranked.

const columns = [
  { key: "rank", head: "rank", title: "nearest first to what is wanted: the preference point, or the best of size and measure at once", of: (t, r) => r.get(t.id) ?? null, text: (v) => v ?? "–" },
  { key: "id", head: "id", of: (t) => t.id, text: String },
  { key: "latent", head: "latent", of: (t) => t.values, text: (_, t) => shape(t.latent) },
  { key: "values", head: "values", of: (t) => t.values, text: count },
  { key: "ratio", head: "ratio", of: (t) => data.run.values / t.values, text: (v) => `${fixed(v, 1)}×` },
  ...[["bce", "BCE", 4], ["excess", "excess", 4], ["mse", "MSE", 5], ["psnr", "PSNR", 1], ["ssim", "SSIM", 3]].flatMap(([k, head, digits]) => [
    { key: k, head, of: (t) => valueOf(figuresOf(t), k), text: (v) => fixed(v, digits) },
    { key: `pca.${k}`, head: `PCA ${head}`, pca: true, of: (t) => valueOf(pcaAt(t.values), k), text: (v) => fixed(v, digits) },
  ]),
  { key: "params", head: "parameters", of: (t) => t.params, text: count },
  { key: "flops", head: "multiply-adds", of: (t) => t.flops, text: count },
  { key: "epochs", head: "epochs", of: (t) => t.epochs, text: String },
];

// rowsShown are the trainings of the table, in its order.
function rowsShown(ranks) {
  const all = $("all").checked ? data.trainings.filter((t) => t.search) : memberRows();
  const words = $("filter").value.toLowerCase().split(/\s+/).filter(Boolean);
  const text = (t) => `${t.id} ${shape(t.latent)} ${t.recipe.optimizer} ${t.recipe.schedule}`.toLowerCase();
  const column = columns.find((c) => c.key === state.sort.key);
  const value = (t) => column.of(t, ranks);
  return all
    .filter((t) => t.values <= state.maxValues && words.every((w) => text(t).includes(w)))
    .sort((a, b) => {
      const [x, y] = [value(a), value(b)];
      if (x == null || y == null) return (x == null) - (y == null);
      return state.sort.down * (x < y ? -1 : x > y ? 1 : 0);
    });
}

function drawTable() {
  const ranks = rank(memberRows());
  $("head").replaceChildren(...columns.map((c) => {
    const sorted = c.key === state.sort.key;
    return element("th", { scope: "col", title: c.title, "aria-sort": sorted ? (state.sort.down > 0 ? "ascending" : "descending") : null },
      element("button", { type: "button", onclick: () => sortBy(c.key) }, c.head, sorted ? (state.sort.down > 0 ? " ▲" : " ▼") : ""));
  }));
  const rows = rowsShown(ranks);
  $("rows").replaceChildren(...rows.slice(0, 500).map((t) =>
    element("tr", { "data-id": t.id, class: t.id === state.selected ? "chosen" : null, onclick: () => select(t.id) },
      ...columns.map((c) => {
        const text = c.text(c.of(t, ranks), t);
        return element("td", { class: c.pca ? "pca" : null },
          c.key === "id" ? element("button", { type: "button", class: "id", "aria-pressed": String(t.id === state.selected) }, text) : String(text));
      }))));
  $("shown").textContent = rows.length > 500 ? `The first 500 of ${count(rows.length)}; the filter or the file has the rest.` : `${rows.length} shown.`;
}

function sortBy(key) {
  state.sort = { key, down: state.sort.key === key ? -state.sort.down : 1 };
  drawTable();
  $("head").querySelector(`th[aria-sort] button`)?.focus();
}

function saveTable() {
  const ranks = rank(memberRows());
  const rows = rowsShown(ranks).map((t) => columns.map((c) => (c.key === "latent" ? shape(t.latent) : c.of(t, ranks))));
  download(`${data.run.name}-table.csv`, "text/csv", csvOf(columns.map((c) => c.key), rows));
}
