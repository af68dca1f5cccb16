"""How fast the page of a large run is: a real run's page, its trainings repeated
to 5,000, in a headless chromium. Prints the medians of five loads and of 100
moves of the pointer, and exits with 1 over the bars (2 s, 50 ms).

    python scripts/bench_page.py --moncae bin/moncae [--trainings 5000]
"""

import argparse
import json
import os
import pathlib
import random
import re
import shutil
import statistics
import subprocess
import sys
import tempfile

from playwright.sync_api import sync_playwright

DATA = re.compile(r'(<script type="application/json" id="data">)(.*?)(</script>)', re.S)

HOVER = """async n => {
  const at = $("front").querySelector("canvas"), box = at.getBoundingClientRect(), times = [];
  for (let i = 0; i < n; i++) {
    const t = data.trainings[Math.floor(i * data.trainings.length / n)];
    if (!t.search) continue;
    const [x, y] = charts.get("front").convertToPixel("grid", [t.values, valueOf(figuresOf(t))]);
    await new Promise(requestAnimationFrame);
    const begin = performance.now();
    at.dispatchEvent(new MouseEvent("mousemove", { bubbles: true, clientX: box.x + x, clientY: box.y + y }));
    await new Promise(requestAnimationFrame);
    times.push(performance.now() - begin);
  }
  return times;
}"""


def larger(page, n, draw=random.Random(46)):
    """The page with its trainings repeated, a little moved, up to n."""
    data = json.loads(DATA.search(page)[2])
    scored = [t for t in data["trainings"] if "search" in t]
    while len(data["trainings"]) < n:
        t = json.loads(json.dumps(draw.choice(scored)))
        i = len(data["trainings"])
        t.update(id=f"g{100 + i // 100}-{i % 100}", values=max(1, round(t["values"] * draw.uniform(0.5, 2))), parents=[draw.choice(scored)["id"]])
        t["search"]["bce"] *= draw.uniform(0.9, 1.2)
        t.pop("final", None)
        data["trainings"].append(t)
        data["progress"].insert(-1, {"trainings": i, "seconds": float(i), "hypervolume": data["progress"][-1]["hypervolume"] * 0.9})
    text = json.dumps(data).replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
    return DATA.sub(lambda m: m[1] + text + m[3], page)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--moncae", default="bin/moncae")
    parser.add_argument("--trainings", type=int, default=5000)
    o = parser.parse_args()
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium") or sys.exit("no chromium: apt-get install chromium, or name one in CHROMIUM")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as p:
        run, report = f"{folder}/run", pathlib.Path(folder, "report.html")
        small = "--population 8 --generations 3 --epochs 1 --train-limit 500 --finetune 1 --finetune-trial 0 --no-export".split()
        subprocess.run([o.moncae, "search", "--run", run, *small], check=True, capture_output=True)
        subprocess.run([o.moncae, "report", run, "--out", report], check=True, capture_output=True)
        report.write_text(larger(report.read_text(), o.trainings))
        browser = p.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        loads, hovers = [], []
        for _ in range(5):
            page = browser.new_page(viewport={"width": 1400, "height": 1000})
            page.goto(report.as_uri())
            loads.append(page.evaluate("new Promise(done => requestAnimationFrame(() => setTimeout(() => done(performance.now()))))") / 1000)
            hovers += page.evaluate(HOVER, 20)
            page.close()
        browser.close()
    load, hover = statistics.median(loads), statistics.median(hovers)
    print(f"{o.trainings} trainings: loaded in {load:.2f} s (median of {len(loads)}; bar 2 s), a move of the pointer {hover:.0f} ms (median of {len(hovers)}; bar 50 ms)")
    sys.exit(load > 2 or hover > 50)


if __name__ == "__main__":
    main()
