"""The page that `moncae report` writes, in a browser: what it shows, and what a click does."""

import csv
import io
import json
import shutil
import subprocess
import xml.etree.ElementTree

import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image

from conftest import MARKUP, MONCAE, moncae

# Where a training stands in the plot, in pixels of the page.
PLACE = """id => {
  const t = byID.get(id), box = $("front").querySelector(".plot").getBoundingClientRect();
  const [x, y] = charts.get("front").convertToPixel("grid", [t.values, valueOf(figuresOf(t))]);
  return [box.x + x, box.y + y];
}"""


@pytest.fixture
def page(tab, report):
    return tab.open(report.as_uri())


@pytest.fixture
def front(run):
    return json.loads((run / "front.json").read_text())


def members(page):
    return page.eval_on_selector_all("#rows tr", "rows => rows.map(r => r.dataset.id)")


def test_it_loads_nothing_and_is_small(page, tab, report):
    assert tab.requests == [report.as_uri()]
    assert report.stat().st_size < 5e6


def test_names_show_as_text(page, run):
    text = page.inner_text("body")
    assert run.name in text or "photos" in text
    assert page.query_selector_all("img[src='x']") == []
    assert page.title().startswith("Autoencoders for")


def test_without_scripts_it_shows_the_same_figures(browser, report, front):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(report.as_uri())
    text = page.inner_text("body")
    for m in front["members"]:
        assert m["id"] in text and f"{m['bce']:.4f}" in text
    assert page.is_visible("img[alt^='Loss against level of compression']")
    assert page.is_visible("img[alt^='Validation images']")
    context.close()


def test_every_member_is_in_the_table_with_its_figures(page, front):
    assert sorted(members(page)) == sorted(m["id"] for m in front["members"])
    for m in front["members"]:
        text = page.inner_text(f"tr[data-id='{m['id']}']")
        assert f"{m['bce']:.4f}" in text and f"{m['ssim']:.3f}" in text
        if m["pca"]:
            assert f"{m['pca']['bce']:.4f}" in text and f"{m['pca']['psnr']:.1f}" in text


def test_a_click_on_a_point_opens_its_panel(page, front):
    last = front["members"][-1]
    page.mouse.click(*page.evaluate(PLACE, last["id"]))
    assert page.inner_text("#panel-title").startswith(last["id"])
    panel = page.inner_text("#panel")
    assert f"{last['bce']:.4f}" in panel and "PCA" in panel and "Layers" in panel
    captions = page.eval_on_selector_all("#panel figcaption", "all => all.map(c => c.textContent.toLowerCase())")
    for word in ("original", "reconstruction", "difference", "pca", "latent"):
        assert any(word in c for c in captions), captions
    page.keyboard.press("Escape")
    assert page.is_hidden("#panel")


def test_the_layers_add_up(page, front, run):
    for m in front["members"]:
        page.click(f"tr[data-id='{m['id']}'] button")
        layers = page.evaluate(f"data.members.find(m => m.id === '{m['id']}').layers")
        assert sum(layer["params"] for layer in layers) == m["params"]
        assert sum(layer["flops"] for layer in layers) == m["flops"]
        assert [layer["shape"] for layer in layers if layer.get("latent")] == [m["latent"]]
        arch = json.loads((run / "candidates" / m["id"] / "arch.json").read_text())["arch"]
        assert len(layers) == len(arch["encoder"]) + len(arch["decoder"])


def test_a_panel_says_whose_weights_a_training_began_with(page, run):
    records = [json.loads(line) for line in (run / "journal.jsonl").read_text().splitlines()]
    trained = [r["data"]["event"] for r in records if r["kind"] == "candidate" and "result" in r["data"]["event"]]
    heirs = {e["id"]: e["inherited"] for e in trained if "inherited" in e}
    assert 0 < len(heirs) < len(trained)
    for e in trained:
        page.evaluate("id => select(id)", e["id"])
        panel = page.inner_text("#panel")
        if e["id"] in heirs:
            assert f"{100 * heirs[e['id']]['share']:.0f} % of {heirs[e['id']]['from']}'s weights" in panel
            assert heirs[e["id"]]["from"] in e["parents"]
        else:
            assert "began with" not in panel


def test_hover_tells_of_a_training(page, front):
    page.mouse.move(*page.evaluate(PLACE, front["members"][0]["id"]))
    page.wait_for_timeout(200)
    shown = page.evaluate("charts.get('front').getZr().storage.getDisplayList(true).map(e => e.style?.text ?? '').join(' ')")
    assert "multiply-adds" in shown


def test_the_copied_commands_work(tab, runs, tmp_path):
    run = tmp_path / "a run's <i>copy"  # finetuning changes it
    shutil.copytree(runs / "second", run)
    moncae("report", run, "--out", tmp_path / "copy.html")
    page = tab.open((tmp_path / "copy.html").as_uri())
    chosen = json.loads((run / "front.json").read_text())["members"][0]["id"]
    page.click(f"tr[data-id='{chosen}'] button")
    lines = page.eval_on_selector_all("#panel .command code", "all => all.map(c => c.textContent)")
    assert any(" export " in line for line in lines) and any(" finetune " in line for line in lines) and any(" compress " in line for line in lines)
    for i, line in enumerate(lines):
        page.click(f"#panel .command >> nth={i} >> button")
        assert page.evaluate("navigator.clipboard.readText()") == line
    path = f"{MONCAE.parent}:/usr/bin:/bin"
    for line in sorted(lines, key=lambda line: " export " not in line):  # compress needs what export wrote
        if " finetune " in line:
            line = line.replace("--epochs 20", "--epochs 1")
        done = subprocess.run(["bash", "-c", line], cwd=tmp_path, env={"PATH": path, "HOME": str(tmp_path)}, capture_output=True, text=True)
        assert done.returncode == 0, f"{line}\n{done.stderr}"
    assert list(tmp_path.rglob("encoder.onnx")) and list(tmp_path.glob("*.arrow"))


def test_the_bound_and_the_wish_rank_anew(page, front):
    assert len({m["values"] for m in front["members"]}) > 1, "the fixture's front is to have several sizes"
    before = members(page)
    page.focus("#bound")
    page.keyboard.press("ArrowLeft")
    sizes = sorted({m["values"] for m in front["members"]})
    kept = [m["id"] for m in front["members"] if m["values"] <= sizes[-2]]
    assert sorted(members(page)) == sorted(kept) and members(page) != before
    assert "--bound" in page.inner_text("#flags")
    page.keyboard.press("ArrowRight")
    assert sorted(members(page)) == sorted(before)
    for m in (front["members"][0], front["members"][-1]):
        page.fill("#want-values", str(m["values"]))
        page.fill("#want-value", f"{m['bce']:.6f}")
        page.keyboard.press("Tab")
        assert members(page)[0] == m["id"]


def test_a_click_beside_a_point_is_a_wish(page):
    box = page.query_selector("#front .plot").bounding_box()
    page.mouse.click(box["x"] + 200, box["y"] + 90)
    assert page.input_value("#want-values") != ""
    assert "--reference" in page.inner_text("#flags")
    page.click("#clear")
    assert page.input_value("#want-values") == ""


def test_the_flags_shown_are_flags_of_search(page, photos, tmp_path):
    page.focus("#bound")
    page.keyboard.press("ArrowLeft")
    box = page.query_selector("#front .plot").bounding_box()
    page.mouse.click(box["x"] + 300, box["y"] + 90)
    flags = page.inner_text("#flags code")
    line = f"moncae search --data '{photos}' --run again --population 2 --generations 1 --epochs 1 --finetune 0 --no-export {flags}"
    done = subprocess.run(["bash", "-c", line], cwd=tmp_path, env={"PATH": f"{MONCAE.parent}:/usr/bin:/bin", "HOME": str(tmp_path)}, capture_output=True, text=True)
    assert done.returncode in (0, 1), f"{line}\n{done.stderr}"  # 1: none is better than so near a reference
    assert json.loads((tmp_path / "again/run.json").read_text())["objectives"] == ["loss", "loc"]


@pytest.mark.parametrize("measure", ["bce", "excess", "mse", "psnr", "ssim"])
def test_every_measure_can_stand_on_the_axis(page, front, measure):
    page.select_option("#choose-measure", measure)
    page.check("#log")
    shown = page.evaluate("charts.get('front').getOption().series.find(s => s.name === 'front').data.map(p => p.value[1])")
    m = front["members"]
    want = sorted((m["bce"] - front["floor"]["bce"] if measure == "excess" else m[measure]) for m in m)
    assert sorted(shown) == pytest.approx([w for w in want if w > 0], rel=1e-6)


def test_the_table_sorts_and_filters(page, front):
    page.click("#head button:text-is('MSE')")
    assert members(page) == [m["id"] for m in sorted(front["members"], key=lambda m: m["mse"])]
    one = front["members"][0]["id"]
    page.fill("#filter", one)
    assert one in members(page) and len(members(page)) < len(front["members"]) + 1
    page.fill("#filter", "")
    page.check("#all")
    assert len(members(page)) > len(front["members"])


def test_downloads(page, front):
    with page.expect_download() as d:
        page.click("#save-table")
    rows = list(csv.DictReader(io.StringIO(open(d.value.path()).read())))
    assert {r["id"]: float(r["bce"]) for r in rows} == pytest.approx({m["id"]: m["bce"] for m in front["members"]})
    with page.expect_download() as d:
        page.click("#front [data-save=svg]")
    assert xml.etree.ElementTree.parse(d.value.path()).getroot().tag.endswith("svg")
    with page.expect_download() as d:
        page.click("#front [data-save=png]")
    assert Image.open(d.value.path()).width > 1000


def test_hypervolume_ends_at_the_front(page, front):
    progress = page.evaluate("data.progress")
    assert progress[-1]["hypervolume"] == pytest.approx(front["hypervolume"], rel=1e-9)
    search = [p["hypervolume"] for p in progress if not p.get("finetuned")]
    assert search == sorted(search) and search[-1] > 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1400])
def test_axe_finds_nothing_serious(page, front, scheme, width):
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 900})
    page.click(f"tr[data-id='{front['members'][0]['id']}'] button")
    for details in page.query_selector_all("details"):
        details.evaluate("d => d.open = true")
    serious = [v for v in Axe().run(page).response["violations"] if v["impact"] in ("serious", "critical")]
    assert [(v["id"], v["nodes"][0]["html"][:200]) for v in serious] == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "the page is wider than the window"


def test_by_keyboard(page, front):
    page.focus("#rows tr button")
    page.keyboard.press("Enter")
    assert page.is_visible("#panel") and page.evaluate("document.activeElement.id") == "panel"
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.className") == "id"


def test_class_names_are_not_markup(page):
    assert MARKUP not in page.content()
