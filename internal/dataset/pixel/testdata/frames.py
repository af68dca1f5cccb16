#!/usr/bin/env python3
"""Make files of three frames; Pillow's n_frames is what frames_test.go expects.

    python frames.py      # Pillow 10 or newer
"""
import pathlib

from PIL import Image

OUT = pathlib.Path(__file__).parent
frames = [Image.new("RGB", (4, 3), (80 * i, 255 - 80 * i, 0)) for i in range(3)]
for name in "frames.tif", "frames.gif", "frames.webp", "frames.png", "frames.mpo":
    frames[0].save(OUT / name, save_all=True, append_images=frames[1:])
    assert Image.open(OUT / name).n_frames == 3, name
