"""The Python blocks of the README's section and of the page on latents, as they stand."""

import pathlib
import re

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]


def blocks(page, heading=None):
    text = (ROOT / page).read_text(encoding="utf-8")
    if heading:
        text = text.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    return re.findall(r"```python\n(.*?)```", text, re.DOTALL)


@pytest.mark.parametrize(("page", "heading", "count"), [("README.md", "In Python", 1), ("docs/how-to/latents-at-work.md", None, 4)])
def test_blocks_run(page, heading, count, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = blocks(page, heading)
    assert len(found) == count
    names = {}
    for block in found:
        exec(compile(block, page, "exec"), names)
