"""Shortens the run path of an ELF binary in place.

    python3 scripts/runpath.py BINARY PATH

The build's own run path also names the folders of this checkout; a release has
none of them.
"""

import subprocess
import sys

binary, path = sys.argv[1:]
listing = subprocess.run(["readelf", "-d", "-W", binary], capture_output=True, text=True, check=True).stdout
(old,) = (line.split("[", 1)[1].rsplit("]", 1)[0] for line in listing.splitlines() if "RUNPATH" in line)
old, new = old.encode() + b"\0", path.encode()
content = open(binary, "rb").read()
if content.count(old) != 1 or len(new) >= len(old):
    sys.exit(f"runpath.py: {binary}: its run path can't be replaced by {path}")
with open(binary, "wb") as f:
    f.write(content.replace(old, new.ljust(len(old), b"\0")))
