#!/bin/sh
# Says in one line which of the tools that moncae is built with is missing.
set -eu

missing() {
	echo "moncae needs $1: $2" >&2
	exit 4
}

command -v go >/dev/null || missing "Go 1.26 or newer" "see go.dev/doc/install"
command -v git >/dev/null || missing "git" "on Debian: apt-get install git"
command -v "${CXX:-c++}" >/dev/null || missing "a C++ compiler" "on Debian: apt-get install g++"
python3 -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null || missing "Python 3.10 or newer" "on Debian: apt-get install python3"
python3 -m pip --version >/dev/null 2>&1 || missing "pip for python3" "on Debian: apt-get install python3-pip"
python3 -c 'import venv, ensurepip' 2>/dev/null || missing "venv for python3" "on Debian: apt-get install python3-venv"
