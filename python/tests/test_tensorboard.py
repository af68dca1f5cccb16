import io

import pytest
from PIL import Image

import moncae
from conftest import SMALL


def test_what_tensorboard_reads(digits, tmp_path):
    pytest.importorskip("tensorboard")
    from moncae.tensorboard import TensorBoard
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    records, board = [], TensorBoard(tmp_path / "logs")
    run = moncae.search(tmp_path / "run", *digits, progress=False, callbacks=[board], on_candidate=records.append, **SMALL)
    read = EventAccumulator(str(tmp_path / "logs"))
    read.Reload()

    def values(tag):
        return [scalar.value for scalar in read.Scalars(tag)]

    trained = [r for r in records if "result" in r]
    assert values("candidate/bce") == pytest.approx([r["result"]["figures"]["bce"] for r in trained], rel=1e-6)
    assert len(values("hypervolume")) == SMALL["generations"]
    first = trained[0]
    assert values(f"loss/{first['id']}/validation") == pytest.approx([e["validation"] for e in first["result"]["history"]], rel=1e-6)
    (picture,) = read.Images("front")
    with Image.open(io.BytesIO(picture.encoded_image_string)) as image:
        assert image.size == (picture.width, picture.height)
    assert run.picture(tmp_path / "front.png").read_bytes() == picture.encoded_image_string
    with pytest.raises(ValueError, match="make another for another folder"):
        moncae.search(tmp_path / "again", *digits, progress=False, callbacks=[board], **SMALL)
    assert not (tmp_path / "again").exists()
