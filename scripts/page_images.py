"""Screenshots of a run's page for docs/images: light and dark, 390 and 1400 CSS
pixels wide, a member's panel open on the wide ones.

    python scripts/page_images.py bin/moncae RUN docs/images
"""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

from playwright.sync_api import sync_playwright

moncae, run, out = sys.argv[1:]
chromium = os.environ.get("CHROMIUM") or shutil.which("chromium") or sys.exit("no chromium: apt-get install chromium, or name one in CHROMIUM")
with tempfile.TemporaryDirectory() as folder, sync_playwright() as p:
    report = pathlib.Path(folder, "report.html")
    subprocess.run([moncae, "report", run, "--out", report], check=True)
    browser = p.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
    for scheme in ("light", "dark"):
        for width in (390, 1400):
            page = browser.new_page(viewport={"width": width, "height": 1000}, color_scheme=scheme)
            page.goto(report.as_uri())
            page.wait_for_selector("#rows tr")
            if width > 1100:
                page.click("#rows tr >> nth=1 >> button")
            page.screenshot(path=pathlib.Path(out, f"page-{scheme}-{width}.png"))
            page.close()
    browser.close()
