"""The Python blocks of the README's section and of the pages on latents, as they stand;
those of Ray and Spark where these are installed (make test-cluster)."""

import pathlib
import re

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]


def blocks(page, heading=None):
    text = (ROOT / page).read_text(encoding="utf-8")
    if heading:
        text = text.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    return re.findall(r"```python\n(.*?)```", text, re.DOTALL)


@pytest.mark.parametrize(("page", "heading", "count", "needed"), [
    ("README.md", "In Python", 1, []), ("docs/how-to/latents-at-work.md", None, 4, []), ("docs/how-to/ray-and-spark.md", None, 4, ["ray", "pyspark"]),
])
def test_blocks_run(page, heading, count, needed, tmp_path, monkeypatch):
    for package in needed:
        pytest.importorskip(package)
    monkeypatch.chdir(tmp_path)
    found = blocks(page, heading)
    assert len(found) == count
    names = {"__name__": "__main__"}  # as in a script: what is defined here pickles by value
    for block in found:
        exec(compile(block, page, "exec"), names)
