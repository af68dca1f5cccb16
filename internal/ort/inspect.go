package ort

import (
	"debug/elf"
	"errors"
	"fmt"
	"runtime"
	"strconv"
	"strings"

	"moncae/internal/regular"
)

// minVersion is the oldest ONNX Runtime with the C interface (version 24) that
// the Go binding is made for.
const minVersion = "1.24"

const minMinor = 24

// inspect tells whether a file can be loaded as ONNX Runtime, and its version
// where the file says it. On systems without ELF only the file's presence is
// seen, and the loader tells the rest.
func inspect(path string) (version string, err error) {
	f, err := regular.Open(path)
	if err != nil {
		return "", err
	}
	defer func() { _ = f.Close() }() // only read
	info, err := f.Stat()
	if err != nil {
		return "", err
	}
	if !info.Mode().IsRegular() || info.Size() == 0 {
		return "", errors.New("not a file, or empty")
	}
	if runtime.GOOS == "darwin" || runtime.GOOS == "windows" {
		return "", nil
	}
	e, err := elf.NewFile(f)
	if err != nil {
		return "", fmt.Errorf("not a shared library, or cut short: %w", err)
	}
	if err := checkELF(e, uint64(info.Size())); err != nil {
		return "", err
	}
	return versionOf(e)
}

// checkELF refuses what the loader would crash on: pages beyond the file's end,
// another processor's code.
func checkELF(e *elf.File, size uint64) error {
	machine := map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64}[runtime.GOARCH]
	if e.Type != elf.ET_DYN || machine != elf.EM_NONE && e.Machine != machine {
		return fmt.Errorf("%v for %v, a shared library for %s is wanted", e.Type, e.Machine, runtime.GOARCH)
	}
	for _, p := range e.Progs {
		if p.Off > size || p.Filesz > size-p.Off {
			return errors.New("cut short: a segment reaches beyond its end")
		}
	}
	return nil
}

// versionOf reads the version from the name that the library's symbols carry,
// VERS_1.27.0 for example; "" where they carry none.
func versionOf(e *elf.File) (string, error) {
	symbols, err := e.DynamicSymbols()
	if err != nil {
		return "", fmt.Errorf("not ONNX Runtime: %w", err)
	}
	for _, s := range symbols {
		if s.Name == "OrtGetApiBase" && s.Section != elf.SHN_UNDEF {
			version, ok := strings.CutPrefix(s.Version, "VERS_")
			if !ok {
				return "", nil
			}
			return version, checkVersion(version)
		}
	}
	return "", errors.New("not ONNX Runtime: it has no OrtGetApiBase")
}

func checkVersion(v string) error {
	major, rest, _ := strings.Cut(v, ".")
	minor, _, _ := strings.Cut(rest, ".")
	n, err := strconv.Atoi(minor)
	if err != nil {
		return fmt.Errorf("version %q is not understood", v)
	}
	if major != "1" || n < minMinor {
		return fmt.Errorf("version %s; %s or newer (1.x) is wanted", v, minVersion)
	}
	return nil
}
