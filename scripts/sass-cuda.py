"""Compile internal/engine/cuda/kernels/*.ptx for devices with ptxas from .deps/cuda/nvcc (scripts/fetch-cuda.sh nvcc).

    sass-cuda.py            write kernels/sizes.csv: instructions, registers and shared memory of each kernel on each device
    sass-cuda.py --check    fail where that isn't what the file says

Either way a kernel that spills registers to memory, or takes more shared memory than
every device gives (48 KiB), is refused. An instruction has 16 bytes from compute
capability 7.0 on. No GPU and no CUDA installation is needed.
"""

import concurrent.futures
import csv
import io
import os
import pathlib
import re
import struct
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
KERNELS = ROOT / "internal/engine/cuda/kernels"
TABLE = KERNELS / "sizes.csv"
DEVICES = {"sm_80": "A100", "sm_86": "RTX 3090", "sm_89": "RTX 4090", "sm_90": "H100", "sm_100": "B200", "sm_120": "RTX 5090"}
SHARED = 48 << 10


def code_sizes(cubin: bytes) -> dict[str, int]:
    """Bytes of each kernel's code: the sections .text.NAME of a 64-bit ELF file."""
    at, = struct.unpack_from("<Q", cubin, 40)
    size, count, names = struct.unpack_from("<HHH", cubin, 58)
    sections = [struct.unpack_from("<IIQQQQ", cubin, at + i * size) for i in range(count)]
    strings = sections[names][4]
    found = {}
    for name, _, _, _, _, length in sections:
        text = cubin[strings + name:cubin.index(b"\0", strings + name)].decode()
        if text.startswith(".text."):
            found[text.removeprefix(".text.")] = length
    return found


def compiled(source: pathlib.Path, device: str) -> list[dict[str, str | int]]:
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder, "cubin")
        done = subprocess.run([ROOT / ".deps/cuda/nvcc/ptxas", "-v", "-arch", device, source, "-o", out], capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"{source.name}: ptxas refuses it for {device}: {done.stderr}")
        sizes = code_sizes(out.read_bytes())
    rows = []
    for part in done.stderr.split("Compiling entry function ")[1:]:
        kernel = part.split("'")[1]
        spilled = sum(map(int, re.findall(r"(\d+) bytes spill", part)))
        shared = int((re.findall(r"(\d+) bytes smem", part) or ["0"])[0])
        registers = int(re.findall(r"Used (\d+) registers", part)[0])
        if spilled or shared > SHARED:
            sys.exit(f"{source.name}: {kernel} on {device}: {spilled} bytes spilled, {shared} of shared memory, of {SHARED}")
        rows.append({"kernel": kernel, "device": device, "instructions": sizes[kernel] // 16, "registers": registers, "shared": shared})
    return rows


def main() -> None:
    check = sys.argv[1:] == ["--check"]
    if sys.argv[1:] and not check:
        sys.exit(__doc__)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        parts = pool.map(lambda job: compiled(*job), [(source, device) for source in sorted(KERNELS.glob("*.ptx")) for device in DEVICES])
        rows = [row for part in parts for row in part]
    rows.sort(key=lambda row: (row["kernel"], list(DEVICES).index(row["device"])))
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    if not check:
        TABLE.write_text(text.getvalue())
    elif TABLE.read_text() != text.getvalue():
        changed = set(text.getvalue().splitlines()) ^ set(TABLE.read_text().splitlines())
        sys.exit(f"{TABLE.name} doesn't say what ptxas makes; look whether the change is wanted, then make ptx:\n" + "\n".join(sorted(changed)[:20]))
    print(f"{len({row['kernel'] for row in rows})} kernels, {', '.join(f'{name} ({device})' for device, name in DEVICES.items())}: no spill, {'as in' if check else 'written to'} {TABLE.name}")


main()
