#!/usr/bin/env python3
"""Make the image files of this folder, and expected.json with their pixels as
Pillow sees them: upright, transparency on black, grey or RGB. The files of
unread/ are valid, and refused.

    python make.py        # Pillow 13.0.0 (libjpeg-turbo 3.2.0), numpy 2.4, tifffile 2026.3.3, imagecodecs 2026.3.6
"""
import base64
import io
import json
import pathlib
import struct
import zlib

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


# Kinds of files that are rarer, each with what Pillow makes of it.
def black(im):
    """RGB on black, whatever the mode."""
    canvas = Image.new("RGBA", im.size, (0, 0, 0, 255))
    return np.asarray(Image.alpha_composite(canvas, ImageOps.exif_transpose(im).convert("RGBA")).convert("RGB"))


def keep(name, data, value=None):
    (OUT / name).write_bytes(data)
    note(name, pixels(Image.open(OUT / name)) if value is None else value)


def file(im, kind, **kw):
    b = io.BytesIO()
    im.save(b, kind, **kw)
    return b.getvalue()


def png(a, bits, colour, before=(), after=(), interlace=False):
    """A PNG of any kind: a is H x W x samples, unpacked."""
    def chunk(name, body):
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    def rows(a):
        if bits == 16:
            packed = [r.astype(">u2").tobytes() for r in a]
        else:
            spread = np.unpackbits(a.astype(np.uint8)[..., None], axis=-1)[..., 8 - bits:]
            packed = [np.packbits(r.reshape(-1)).tobytes() for r in spread]
        return b"".join(b"\0" + r for r in packed)

    passes = [(0, 0, 1, 1)]
    if interlace:
        passes = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)]
    body = b"".join(rows(a[y::dy, x::dx]) for y, x, dy, dx in passes if a[y::dy, x::dx].size)
    head = struct.pack(">IIBBBBB", a.shape[1], a.shape[0], bits, colour, 0, 0, interlace)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + b"".join(chunk(*c) for c in before)
            + chunk(b"IDAT", zlib.compress(body)) + b"".join(chunk(*c) for c in after) + chunk(b"IEND", b""))


deep = rng.integers(0, 65536, (7, 10, 4))
eight = lambda a: np.round(a / 257).astype(np.uint8)
turn = Image.Exif()
turn[0x0112] = 6
turn = turn.tobytes()[6:]
for bits in (1, 2, 4):
    a = rng.integers(0, 1 << bits, (7, 11, 1))
    keep(f"grey{bits}.png", png(a, bits, 0), (a * (255 // ((1 << bits) - 1))).astype(np.uint8))
    entries = rng.integers(0, 256, (1 << bits, 3), dtype=np.uint8)
    keep(f"palette{bits}.png", png(a, bits, 3, [(b"PLTE", entries.tobytes())]), entries[a[:, :, 0]])
keep("interlaced.png", png(deep[:, :, :3] // 257, 8, 2, interlace=True))
keep("clearcolour.png", png(deep[:, :, :3] // 257, 8, 2, [(b"tRNS", (deep[2, 3, :3] // 257).astype(">u2").tobytes())]))
keep("cleargrey.png", png(deep[:, :, :1] // 257, 8, 0, [(b"tRNS", (deep[2, 3, :1] // 257).astype(">u2").tobytes())]),
     np.where((deep[:, :, :1] // 257) == deep[2, 3, 0] // 257, 0, deep[:, :, :1] // 257).astype(np.uint8))
keep("rgb16.png", png(deep[:, :, :3], 16, 2), eight(deep[:, :, :3]))
keep("rgba16alpha.png", png(deep, 16, 6), eight(deep[:, :, :3] / 257 * deep[:, :, 3:] / 255))
keep("greyalpha16.png", png(deep[:, :, :2], 16, 4), eight(deep[:, :, :1] / 257 * deep[:, :, 1:2] / 255))
whole = np.asarray(small)
keep("turnlate.png", png(whole, 8, 2, after=[(b"eXIf", turn)]))
keep("turnbehind.png", png(whole, 8, 2, [(b"iCCP", b"x\0\0" + zlib.compress(rng.bytes(70000), 0)), (b"eXIf", turn)]))
xmp = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description tiff:Orientation="8"/></x:xmpmeta>'
keep("turnxmp.jpg", file(small, "JPEG", subsampling=0, quality=95, xmp=xmp))
big = Image.fromarray(rng.integers(0, 256, (150, 160, 3), dtype=np.uint8))
exif = Image.Exif()
exif[0x0112] = 6
data = file(big, "WEBP", lossless=True, exif=exif)
assert data.index(b"EXIF") > 1 << 16
(OUT / "turnbehind.webp").write_bytes(data)
# Of a picture that large one row is enough.
note("turnbehind.webp row", pixels(Image.open(io.BytesIO(data)))[:1])

# 4:4:0 is 4:2:2 with the sides of its blocks exchanged: another picture, as valid.
for name, size in (("one", (96, 8)), ("two", (96, 16))):
    data = bytearray(file(Image.fromarray(smooth(size[1], size[0], 3)), "JPEG", subsampling=1, quality=95))
    at = data.index(b"\xff\xc0")
    data[at + 5:at + 9] = struct.pack(">HH", size[1] * 2, size[0] // 2)
    data[at + 11] = 0x12
    keep(f"rgb440{name}.jpg", bytes(data))
ink = np.asarray(rgb.convert("CMYK"))
four = file(Image.fromarray(ink, "CMYK"), "JPEG", quality=95)
at = four.index(b"Adobe")
keep("ycck444.jpg", four[:at + 11] + b"\2" + four[at + 12:])
keep("cmykbare.jpg", four[:at - 4] + four[at + 12:])
import imagecodecs  # noqa: E402
import tifffile  # noqa: E402
data = imagecodecs.jpeg8_encode(255 - ink, level=95, colorspace="CMYK", outcolorspace="YCCK", subsampling="420")
keep("ycck420.jpg", data)

# Fax compression writes black as 1 whatever the colours are.
marks = Image.fromarray((smooth(40, 48, 1)[:, :, 0] > 128).astype(np.uint8) * 255).convert("1")
for kind in ("group3", "group4", "raw", "packbits"):
    for black_is_zero in (0, 1):
        keep(f"{kind}{black_is_zero}.tif", file(marks, "TIFF", compression=kind, tiffinfo={262: black_is_zero}),
             np.asarray(marks.convert("L"))[:, :, None])


def tif(name, a, value, **kw):
    tifffile.imwrite(OUT / name, a, **kw)
    note(name, np.ascontiguousarray(value if value.ndim == 3 else value[:, :, None]))


grey16 = deep[:, :, 0].astype(np.uint16)
rgba = (deep // 257).astype(np.uint8)
tif("grey16.tif", grey16, eight(grey16), byteorder="<")
tif("grey16big.tif", grey16, eight(grey16), byteorder=">", compression="zlib", predictor=2)
tif("white16.tif", grey16, 255 - eight(grey16), photometric="miniswhite")
tif("rgb16.tif", deep[:, :, :3].astype(np.uint16), eight(deep[:, :, :3]), photometric="rgb", compression="lzw", predictor=2)
tif("alpha.tif", rgba, eight(rgba[:, :, :3] * 257.0 * rgba[:, :, 3:] / 255), photometric="rgb", extrasamples=["unassalpha"])
tiled = smooth(40, 50, 3)
tif("tiled.tif", tiled, tiled, photometric="rgb", tile=(16, 32), compression="zlib")
tif("strips.tif", tiled, tiled, photometric="rgb", rowsperstrip=7)
tif("pages.tif", np.stack([grey16 // 257] * 3).astype(np.uint8), (grey16 // 257).astype(np.uint8), photometric="minisblack")

# Frames.
frames = [small, small.rotate(180), small.transpose(0)]
keep("first.gif", file(frames[0], "GIF", save_all=True, append_images=frames[1:]))
keep("first.webp", file(frames[0], "WEBP", save_all=True, append_images=frames[1:], lossless=True))
keep("first.png", file(frames[0], "PNG", save_all=True, append_images=frames[1:]))
lossy = [Image.fromarray(np.concatenate([smooth(12, 16, 3), rng.integers(0, 256, (12, 16, 1), dtype=np.uint8)], 2)) for _ in range(2)]
keep("firstalpha.webp", file(lossy[0], "WEBP", save_all=True, append_images=lossy[1:], quality=95))
# A palette of the frame's own under a grey one for all.
data = file(small.quantize(8), "GIF")
size = 3 << ((data[10] & 7) + 1)
own = data.index(b"\x2c", 13 + size)
greys = bytes(v for i in range(size // 3) for v in (i * 9,) * 3)
data = data[:13] + greys + data[13 + size:own + 9] + bytes([0x80 | data[10] & 7]) + data[13:13 + size] + data[own + 10:]
keep("ownpalette.gif", data, np.asarray(Image.open(io.BytesIO(data)).convert("RGB")))

# PNM.
g, c = np.asarray(grey), np.asarray(small)
words = lambda a: b" ".join(b"%d" % v for v in a.reshape(-1))
keep("raw.pgm", b"P5 # made by hand\n11 9\n255\n" + g.tobytes())
keep("raw.ppm", b"P6\n8 6 255\n" + c.tobytes())
keep("plain.pgm", b"P2\n11 9\n255\n" + words(g))
keep("plain.ppm", b"P3\n8 6\n# a remark\n255\n" + words(c))
keep("deep.pgm", b"P5\n10 7\n65535\n" + deep[:, :, 0].astype(">u2").tobytes(), eight(deep[:, :, :1]))
keep("shallow.pgm", b"P5\n11 9\n15\n" + (g // 16).tobytes(), (g // 16 * 17)[:, :, None])
keep("raw.pbm", b"P4\n48 40\n" + np.packbits(np.asarray(marks) == 0, axis=1).tobytes(), np.asarray(marks.convert("L"))[:, :, None])
keep("plain.pbm", b"P1\n48 40\n" + b"".join(b"%d" % v for v in (np.asarray(marks) == 0).reshape(-1)), np.asarray(marks.convert("L"))[:, :, None])

# BMP.
for bits, mode in ((1, "1"), (8, "P"), (24, "RGB")):
    im = marks if mode == "1" else small.quantize(8) if mode == "P" else small
    keep(f"bits{bits}.bmp", file(im, "BMP"), pixels(im.convert("L" if mode == "1" else "RGB")))

# Valid, and not read.
(OUT / "unread").mkdir(exist_ok=True)
for name, a, kw in (
    ("floats", grey16.astype(np.float32), {}), ("signed", grey16.astype(np.int16), {}), ("wide", grey16.astype(np.uint32), {}),
    ("bits12", grey16 // 16, {"bitspersample": 12}), ("planes", np.moveaxis(rgba[:, :, :3], 2, 0).copy(), {"photometric": "rgb", "planarconfig": "separate"}),
    ("cmyk", rgba, {"photometric": "separated"}), ("jpeg", tiled, {"photometric": "rgb", "compression": "jpeg"}), ("big", grey16, {"bigtiff": True}),
    ("bands", rgba, {"photometric": "rgb", "extrasamples": ["unspecified"]}), ("zstd", grey16, {"compression": "zstd"}),
    ("greyalpha", rgba[:, :, :2], {"photometric": "minisblack", "extrasamples": ["unassalpha"]}),
):
    tifffile.imwrite(OUT / "unread" / f"{name}.tif", a, **kw)
(OUT / "unread" / "bits12.jpg").write_bytes(imagecodecs.jpeg8_encode(grey16 // 16, bitspersample=12))
(OUT / "unread" / "lossless.jpg").write_bytes(imagecodecs.ljpeg_encode(rgba[:, :, 0].copy()))
(OUT / "unread" / "avif.png").write_bytes(imagecodecs.avif_encode(tiled))
(OUT / "unread" / "jxl.png").write_bytes(imagecodecs.jpegxl_encode(tiled))
(OUT / "unread" / "jp2.jpg").write_bytes(imagecodecs.jpeg2k_encode(tiled))
rle = b"".join(bytes([8, v]) + b"\0\0" for v in range(4)) + b"\0\1"
entries = bytes(v for i in range(256) for v in (i, i, i, 0))
head = struct.pack("<IiiHHIIiiII", 40, 8, 4, 1, 8, 1, len(rle), 2835, 2835, 256, 0) + entries
(OUT / "unread" / "rle.bmp").write_bytes(b"BM" + struct.pack("<IHHI", 14 + len(head) + len(rle), 0, 0, 14 + len(head)) + head + rle)

(OUT / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")
