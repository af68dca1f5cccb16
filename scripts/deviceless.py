"""Build what NVIDIA's cuDNN wants beside it where there is no GPU, into .deps/cuda/deviceless.

cuDNN tells what it would choose for a device that is described to it. Its engines are
linked to the driver and look for cuBLAS all the same, so both are here, with every
function that they might look up; each says that there is no device. Nothing computes.
"""

import pathlib
import re
import subprocess

DEPS = pathlib.Path(__file__).resolve().parent.parent / ".deps/cuda"
OUT = DEPS / "deviceless"


def build(name: str, functions: set[str], answers: dict[str, str]) -> None:
    code = "".join(f"long {f}(void) {{ return {answers.get(f, answers['']) }; }}\n" for f in sorted(functions))
    subprocess.run(["gcc", "-shared", "-fPIC", "-w", "-xc", "-", f"-Wl,-soname,{name}", "-o", OUT / name], input=code, text=True, check=True)


def main() -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    driver = set(re.findall(r"\bcu[A-Z]\w+", (DEPS / "include/cuda.h").read_text()))
    build("libcuda.so.1", driver, {"": "100"})  # CUDA_ERROR_NO_DEVICE
    engines = (DEPS / "cudnn/libcudnn_engines_precompiled.so.9").read_bytes()
    blas = {f.decode() for f in re.findall(rb"\bcublasLt[A-Z]\w+", engines)}
    build("libcublasLt.so.12", blas, {"": "1", "cublasLtGetVersion": "120900"})  # CUBLAS_STATUS_NOT_INITIALIZED


main()
