"""Compile internal/engine/cuda/kernels/*.cu with NVRTC from .deps/cuda/nvrtc (scripts/fetch-cuda.sh nvrtc).

    ptx-cuda.py            write the .ptx beside them, for compute_80
    ptx-cuda.py --check    fail where a .ptx is not what its source gives

No GPU and no CUDA installation is needed.
"""

import ctypes
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
KERNELS = ROOT / "internal/engine/cuda/kernels"
OPTIONS = ["--gpu-architecture=compute_80", "--std=c++17", "-default-device", f"--include-path={KERNELS}"]


def load() -> ctypes.CDLL:
    folder = ROOT / ".deps/cuda/nvrtc"
    try:
        for builtins in folder.glob("libnvrtc-builtins.so.*"):  # libnvrtc opens it by name
            ctypes.CDLL(str(builtins), mode=ctypes.RTLD_GLOBAL)
        return ctypes.CDLL(str(folder / "libnvrtc.so.12"))
    except OSError as error:
        sys.exit(f"ptx-cuda.py: {error}: run scripts/fetch-cuda.sh nvrtc")


def fetch(nvrtc: ctypes.CDLL, program: ctypes.c_void_p, what: str) -> bytes:
    size = ctypes.c_size_t()
    if getattr(nvrtc, f"nvrtcGet{what}Size")(program, ctypes.byref(size)) != 0:
        return b""
    text = ctypes.create_string_buffer(size.value)
    getattr(nvrtc, f"nvrtcGet{what}")(program, text)
    return text.raw


def compiled(nvrtc: ctypes.CDLL, source: pathlib.Path) -> bytes:
    program = ctypes.c_void_p()
    nvrtc.nvrtcCreateProgram(ctypes.byref(program), source.read_bytes(), source.name.encode(), 0, None, None)
    argv = (ctypes.c_char_p * len(OPTIONS))(*[o.encode() for o in OPTIONS])
    failed = nvrtc.nvrtcCompileProgram(program, len(OPTIONS), argv)
    log = fetch(nvrtc, program, "ProgramLog").rstrip(b"\0\n").decode()
    if log:
        print(log, file=sys.stderr)
    if failed:
        sys.exit(f"{source.name}: NVRTC refuses it")
    ptx = fetch(nvrtc, program, "PTX").rstrip(b"\0")
    nvrtc.nvrtcDestroyProgram(ctypes.byref(program))
    return ptx


def main() -> None:
    check = sys.argv[1:] == ["--check"]
    if sys.argv[1:] and not check:
        sys.exit(__doc__)
    nvrtc = load()
    stale, count = [], 0
    sources = sorted(KERNELS.glob("*.cu"))
    for source in sources:  # before any other compilation: NVRTC numbers calls through a process's life
        ptx = compiled(nvrtc, source)
        count += len(re.findall(rb"^\.visible \.entry", ptx, re.M))
        target = source.with_suffix(".ptx")
        if not check:
            target.write_bytes(ptx)
        elif not target.exists() or target.read_bytes() != ptx:
            stale.append(target.name)
    if stale:
        sys.exit(f"not what the sources give: {', '.join(stale)}: run make ptx")
    major, minor = ctypes.c_int(), ctypes.c_int()
    nvrtc.nvrtcVersion(ctypes.byref(major), ctypes.byref(minor))
    print(f"{count} kernels, NVRTC {major.value}.{minor.value}: " + ("current" if check else "written"))


if __name__ == "__main__":
    main()
