// Runs recorded launches (record.h) under the sanitizers that it is built with, and
// exits with 1 where one finds something or a kernel of the emulator has no launch.
//
//     replay FOLDER        every launch
//     replay --bare FOLDER with barriers that do nothing: each kernel that has one
//                          must be reported by ThreadSanitizer
//
// A few launches of each kernel are enough, those that see the least memory.
#include "record.h"

#include <algorithm>
#include <filesystem>

// The kernel for float32 alone: its launches serve those for types that the engine
// doesn't pair now, whose values need no more memory.
static std::string wider(std::string kernel) {
	for (size_t at; (at = kernel.find("bf16")) != std::string::npos;) kernel.replace(at, 4, "f32");
	return kernel;
}

static int run(const std::string &kernel, const record::Launch &l) {
	auto memory = l.memory; // as the device had it
	auto values = l.values;
	std::vector<void *> args(values.size());
	for (size_t i = 0; i < values.size(); i++) {
		if (l.blocks[i] >= 0) values[i] += (uint64_t)memory[l.blocks[i]].data();
		args[i] = &values[i];
	}
	const int before = emulator::reports;
	const bool whole = emulator::run(emulator::kernels().at(kernel), l.grid, l.block, args.data());
	if (!whole) fprintf(stderr, "%s: a barrier that not all threads reach\n", kernel.c_str());
	return emulator::reports - before + !whole;
}

int main(int argc, char **argv) {
	emulator::barriers_work = !(argc > 2 && !strcmp(argv[1], "--bare"));
	std::map<std::string, std::vector<std::pair<uintmax_t, std::string>>> files;
	for (auto &entry : std::filesystem::directory_iterator(argv[argc - 1])) {
		const std::string name = entry.path().filename();
		files[name.substr(0, name.find('-'))].push_back({entry.file_size(), entry.path()});
	}
	int failures = 0, launches = 0, barriers = 0;
	for (auto &kernel : emulator::kernels()) {
		auto &of = files[files.count(kernel.first) ? kernel.first : wider(kernel.first)];
		std::sort(of.begin(), of.end());
		of.resize(std::min(of.size(), (size_t)(emulator::barriers_work ? 2 : 1)));
		if (of.empty()) {
			failures++;
			fprintf(stderr, "%s: no launch was recorded\n", kernel.first.c_str());
		}
		int found = 0;
		emulator::barriers_met = 0;
		for (auto &file : of) {
			found += run(kernel.first, record::read(file.second.c_str()));
			launches++;
		}
		barriers += emulator::barriers_met > 0;
		const bool wanted = !emulator::barriers_work && emulator::barriers_met > 0;
		if ((found > 0) != wanted) {
			failures++;
			fprintf(stderr, wanted ? "%s: a barrier that does nothing isn't reported\n" : "%s: reported\n", kernel.first.c_str());
		}
	}
	printf("%zu kernels, %d with barriers, %d launches, %d reports\n", emulator::kernels().size(), barriers, launches, emulator::reports);
	return failures > 0;
}
