"""Makes the README's pictures and tables, by the README's own commands.

    .deps/venv/bin/python scripts/docs_images.py [RUN]

The README's shell blocks are run in an empty folder. What `front` and
`classify` print goes between the <!-- front --> and <!-- classify --> marks,
and the pictures to docs/images. With RUN, a finished run with the README's
search, that search is left out. Screenshots of its page are made with the
Python in MONCAE_PAGE_PYTHON, which has playwright.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
README = ROOT / "README.md"
IMAGES = ROOT / "docs/images"
BLOCK = re.compile(r"(?P<norun><!-- norun:.*?-->\n)?```sh\n(?P<text>.*?)```\n", re.DOTALL)


def main(words):
    readme = README.read_text()
    env = dict(os.environ, PATH=f"{ROOT / 'bin'}:{os.environ['PATH']}")
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        (scratch / "bin").symlink_to(ROOT / "bin")
        if words:
            shutil.copytree(words[0], scratch / "digits")
        printed = {}
        for block in BLOCK.finditer(readme):
            text = block["text"]
            if block["norun"] or words and "moncae search" in text:
                continue
            print(text, flush=True)
            out = subprocess.run(["bash", "-euc", text], cwd=scratch, env=env, stdout=subprocess.PIPE, text=True, check=True).stdout
            for mark in ("front", "classify"):
                if f"moncae {mark} " in text:
                    printed[mark] = out
        for mark in ("front", "classify"):
            readme, found = re.subn(rf"<!-- {mark} -->\n.*?<!-- /{mark} -->", lambda _: f"<!-- {mark} -->\n```\n{printed[mark].rstrip()}\n```\n<!-- /{mark} -->", readme, flags=re.DOTALL)
            if found != 1:
                sys.exit(f"docs_images.py: README.md has no place <!-- {mark} -->")
        IMAGES.mkdir(exist_ok=True)
        for name in ("front.png", "gallery.png"):
            shutil.copy(scratch / name, IMAGES / name)
        page = [os.environ["MONCAE_PAGE_PYTHON"], ROOT / "scripts/page_images.py", ROOT / "bin/moncae", "digits", IMAGES]
        subprocess.run(page, cwd=scratch, check=True)
    README.write_text(readme)


main(sys.argv[1:])
