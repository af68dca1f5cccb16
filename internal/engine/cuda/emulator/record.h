// A launch with the memory that it sees, kept in a file and run again elsewhere:
// libcuda.cpp writes them where MONCAE_FAKE_RECORD names a folder, replay.cpp runs
// them under sanitizers, which a Go program can't be run under.
#pragma once
#include "emulator.h"

#include <map>

namespace record {

struct Launch {
	dim3 grid, block;
	std::vector<uint64_t> values;        // of the parameters; pointers are offsets into memory
	std::vector<int> blocks;             // for each parameter the number of its memory, -1 for no pointer
	std::vector<std::vector<char>> memory;
};

// Writes a launch below folder, unless one of the kernel with such a grid is there.
// memory are the device's allocations.
void write(const char *folder, const std::string &name, const emulator::Kernel &kernel, dim3 grid, dim3 block, const std::vector<uint64_t> &values, const std::map<uint64_t, size_t> &memory);

Launch read(const char *file);

} // namespace record
