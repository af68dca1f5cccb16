"""Hatchling's hook: builds the program and puts it into the wheel's scripts, and
the libraries that it is linked with into share/moncae/lib of the prefix,
where the program finds them by its run path ($ORIGIN/../share/moncae/lib). In a
folder of the name lib, pip install --target would leave them out.

The wheel is for this machine, or for MONCAE_WHEEL_PLATFORM (GOOS/GOARCH).
MONCAE_WHEEL_TAG replaces its platform tag: `make wheel` gives the one that it
then has auditwheel confirm.
"""

import os
import pathlib
import subprocess
import sys
import tempfile

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

# Pure Go is linked statically on Linux; Go's own oldest macOS is 12.
TAGS = {
    "linux/amd64": "linux_x86_64",
    "linux/arm64": "manylinux2014_aarch64.manylinux_2_17_aarch64",
    "darwin/arm64": "macosx_12_0_arm64",
    "darwin/amd64": "macosx_12_0_x86_64",
    "windows/amd64": "win_amd64",
}


class Program(BuildHookInterface):
    def initialize(self, version, build_data):
        platform = os.environ.get("MONCAE_WHEEL_PLATFORM") or self._go("env", "GOOS") + "/" + self._go("env", "GOARCH")
        if platform not in TAGS:
            sys.exit(f"moncae has no wheel for {platform}: known are {', '.join(TAGS)}")
        self._scratch = tempfile.TemporaryDirectory(prefix="moncae-wheel-")
        stage = pathlib.Path(self._scratch.name)
        release = os.environ.get("MONCAE_VERSION") or self.metadata.version
        self._run("make", "-s", "stage-wheel", f"PLATFORM={platform}", f"STAGE={stage}", f"VERSION={release}", cwd=self.root, stdout=sys.stderr,
                  env={name: value for name, value in os.environ.items() if name != "CGO_ENABLED"})  # an outer make's, for its own platform
        program = "moncae.exe" if platform.startswith("windows/") else "moncae"
        build_data["tag"] = "py3-none-" + (os.environ.get("MONCAE_WHEEL_TAG") or TAGS[platform])
        build_data["pure_python"] = False
        build_data["shared_scripts"] = {str(stage / program): program}
        build_data["force_include"][str(stage / "licenses")] = "moncae/licenses"
        if (stage / "lib").exists():
            build_data["shared_data"] = {str(stage / "lib"): "share/moncae/lib"}

    def finalize(self, version, build_data, artifact_path):
        self._scratch.cleanup()

    def _go(self, *words):
        return self._run(os.environ.get("GO", "go"), *words, stdout=subprocess.PIPE).stdout.strip()

    def _run(self, *words, **settings):
        try:
            return subprocess.run(words, text=True, check=True, **settings)
        except FileNotFoundError:
            sys.exit(f"a wheel of moncae is built with Go 1.26 or newer, git, make and a C++ compiler; {words[0]} isn't on the path")
        except subprocess.CalledProcessError as failed:
            sys.exit(f"{' '.join(words[:3])} failed with exit code {failed.returncode}: its reason stands above")
