"""Packs a folder as a zip with fixed order, times and modes.

    python3 scripts/zip.py FOLDER OUT.zip
"""

import pathlib
import sys
import zipfile

folder, out = map(pathlib.Path, sys.argv[1:])
with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as z:
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        info = zipfile.ZipInfo(str(path.relative_to(folder.parent)))
        info.external_attr = (path.stat().st_mode & 0o777) << 16
        info.compress_type = zipfile.ZIP_DEFLATED
        z.writestr(info, path.read_bytes())
