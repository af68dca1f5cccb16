"""From a folder of images to a file of latents, as one writes it in Python: Pillow, ONNX Runtime and pyarrow.

    python loop.py ENCODER FOLDER OUT BATCH

Every JPEG and PNG file in the order of the paths, scaled to the encoder's size where it has another one and to [0, 1],
in batches through the encoder, into an Arrow file with id, latent, label (the folder's number) and path. ONNX Runtime
has its default options: its own threads, one a core. What is printed is JSON; the imports are not in the seconds.
Without arguments it prints the folder of ONNX Runtime's library.
"""

import json
import pathlib
import sys
import time

import numpy as np
import onnxruntime
import PIL
import pyarrow as pa
from PIL import Image


def loop(encoder, folder, out, batch):
    session = onnxruntime.InferenceSession(encoder, providers=["CPUExecutionProvider"])
    name, (_, channels, *size) = session.get_inputs()[0].name, session.get_inputs()[0].shape
    paths = sorted(p for p in pathlib.Path(folder).rglob("*") if p.suffix.lower() in (".jpg", ".jpeg", ".png"))
    number = {c: i for i, c in enumerate(sorted({p.parent.name for p in paths}))}
    writer = None
    for start in range(0, len(paths), batch):
        part = paths[start : start + batch]
        x = np.stack([pixels(p, channels, size) for p in part]).astype(np.float32) / np.float32(255)
        z = session.run(None, {name: x})[0]
        record = pa.record_batch({
            "id": pa.array(range(start, start + len(part)), pa.int64()),
            "latent": pa.FixedShapeTensorArray.from_numpy_ndarray(z),
            "label": pa.array([number[p.parent.name] for p in part], pa.int64()),
            "path": [p.relative_to(folder).as_posix() for p in part],
        })
        writer = writer or pa.ipc.new_file(out, record.schema)
        writer.write_batch(record)
    writer.close()
    return len(paths)


def pixels(path, channels, size):
    image = Image.open(path).convert("L" if channels == 1 else "RGB")
    if image.size != (size[1], size[0]):
        image = image.resize((size[1], size[0]), Image.BILINEAR)
    array = np.asarray(image)
    return array[None] if channels == 1 else array.transpose(2, 0, 1)


def main():
    if len(sys.argv) == 1:
        print(pathlib.Path(onnxruntime.__file__).parent / "capi")
        return
    encoder, folder, out, batch = sys.argv[1:]
    start = time.monotonic()
    images = loop(encoder, folder, out, int(batch))
    versions = f"onnxruntime {onnxruntime.__version__}, pillow {PIL.__version__}, pyarrow {pa.__version__}"
    print(json.dumps({"images": images, "seconds": time.monotonic() - start, "versions": versions}))


if __name__ == "__main__":
    main()
