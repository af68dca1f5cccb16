#!/usr/bin/env python3
"""Make the image files of this folder, and expected.json with their pixels as
Pillow sees them: upright, transparency on black, grey or RGB.

    python make.py        # Pillow 13.0.0 (libjpeg-turbo 3.2.0), numpy 2
"""
import base64
import json
import pathlib

import numpy as np
from PIL import Image, ImageOps

OUT = pathlib.Path(__file__).parent
rng = np.random.default_rng(7)
expected = {}


def smooth(h, w, c):
    y, x = np.mgrid[0:h, 0:w] / max(h, w)
    planes = [128 + 100 * np.sin(3 * y + (k + 1) * 2 * x + k) + rng.normal(0, 6, (h, w)) for k in range(c)]
    return np.clip(np.stack(planes, -1), 0, 255).astype(np.uint8)


def pixels(im):
    im = ImageOps.exif_transpose(im)
    if im.mode.startswith("I;16"):
        a = np.round(np.asarray(im).astype(np.float64) / 257).astype(np.uint8)
    elif im.mode in ("L",):
        a = np.asarray(im)
    else:
        grey = im.mode == "LA" or im.mode == "P" and len({*map(tuple, np.diff(np.array(im.getpalette()).reshape(-1, 3)))} - {(0, 0)}) == 0
        black = Image.new("RGBA", im.size, (0, 0, 0, 255))
        a = np.asarray(Image.alpha_composite(black, im.convert("RGBA")).convert("RGB"))
        if grey:
            a = a[:, :, 0]
    return a if a.ndim == 3 else a[:, :, None]


def note(key, a):
    expected[key] = {"size": a.shape, "pixels": base64.b64encode(np.ascontiguousarray(a).tobytes()).decode()}


def save(name, im, **kw):
    im.save(OUT / name, **kw)
    note(name, pixels(Image.open(OUT / name)))


rgb = Image.fromarray(smooth(13, 17, 3))
grey = Image.fromarray(smooth(9, 11, 1)[:, :, 0])
small = Image.fromarray(smooth(6, 8, 3))
for name, s in (("444", 0), ("422", 1), ("420", 2)):
    save(f"rgb{name}.jpg", rgb, subsampling=s, quality=92)
save("progressive.jpg", rgb, subsampling=2, quality=92, progressive=True)
save("narrow420.jpg", rgb.crop((0, 0, 4, 9)), subsampling=2)
save("grey.jpg", grey)
save("cmyk.jpg", rgb.convert("CMYK"), quality=95)
for turn in range(1, 9):
    exif = Image.Exif()
    exif[0x0112] = turn
    save(f"turn{turn}.jpg", small, exif=exif, subsampling=0, quality=95)
exif = Image.Exif()
exif[0x0112] = 6
save("turn6.png", small, exif=exif)
save("turn6.webp", small, exif=exif, lossless=True)
save("turn6.tif", small, tiffinfo={0x0112: 6})
save("rgb.png", small)
save("grey.png", grey)
alpha = rng.integers(0, 256, (6, 8, 1), dtype=np.uint8)
save("rgba.png", Image.fromarray(np.concatenate([np.asarray(small), alpha], 2)))
save("greyalpha.png", Image.fromarray(np.concatenate([np.asarray(small)[:, :, :1], alpha], 2), "LA"))
save("palette.png", small.quantize(8))
save("palettegrey.png", grey.convert("P"))
clear = small.quantize(8)
save("paletteclear.png", clear, transparency=2)
save("grey16.png", Image.fromarray((smooth(6, 8, 1)[:, :, 0].astype(np.uint16) * 251 + 77)))
save("rgb.gif", small)
save("rgb.bmp", small)
save("grey.bmp", grey)
save("rgb.tif", small, compression="tiff_lzw")
save("grey.tif", grey)
save("lossless.webp", small, lossless=True)
save("lossy.webp", rgb, quality=95)
save("alpha.webp", Image.fromarray(np.concatenate([smooth(12, 16, 3), rng.integers(0, 256, (12, 16, 1), dtype=np.uint8)], 2)), quality=95)
for h, w in ((5, 7), (26, 40), (13, 6), (3, 17)):
    note(f"rgb.scaled {h}x{w}", np.asarray(rgb.resize((w, h), Image.Resampling.BILINEAR)))
note("rgb.whole", np.asarray(rgb))
note("rgb.luma", np.asarray(rgb.convert("L"))[:, :, None])
(OUT / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")
