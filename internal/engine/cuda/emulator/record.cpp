#include "record.h"

#include <fcntl.h>
#include <fstream>
#include <unistd.h>

namespace record {
namespace {

const size_t most = 4 << 20; // bytes of memory that a launch may see

template <class T> void put(std::ostream &out, const T &value) { out.write((const char *)&value, sizeof value); }

template <class T> T get(std::istream &in) {
	T value{};
	in.read((char *)&value, sizeof value);
	return value;
}

std::string text(dim3 d) { return std::to_string(d.x) + "x" + std::to_string(d.y) + "x" + std::to_string(d.z); }

} // namespace

void write(const char *folder, const std::string &name, const emulator::Kernel &kernel, dim3 grid, dim3 block, const std::vector<uint64_t> &values, const std::map<uint64_t, size_t> &memory) {
	std::vector<uint64_t> bases;
	std::vector<int> blocks(values.size(), -1);
	size_t total = 0;
	for (size_t i = 0; i < values.size(); i++) {
		if (!kernel.alignments[i] || !values[i]) continue;
		const uint64_t base = (--memory.upper_bound(values[i]))->first;
		size_t at = 0;
		while (at < bases.size() && bases[at] != base) at++;
		if (at == bases.size()) {
			bases.push_back(base);
			total += memory.at(base);
		}
		blocks[i] = (int)at;
	}
	if (total > most) return;
	const std::string file = std::string(folder) + "/" + name + "-" + text(grid) + "-" + text(block) + ".launch";
	const std::string part = file + "." + std::to_string(getpid());
	if (access(file.c_str(), F_OK) == 0) return;
	std::ofstream out(part, std::ios::binary);
	put(out, grid);
	put(out, block);
	put(out, values.size());
	for (size_t i = 0; i < values.size(); i++) {
		put(out, blocks[i] < 0 ? values[i] : values[i] - bases[blocks[i]]);
		put(out, blocks[i]);
	}
	put(out, bases.size());
	for (uint64_t base : bases) {
		put(out, memory.at(base));
		out.write((const char *)base, (std::streamsize)memory.at(base));
	}
	out.close();
	if (!out || rename(part.c_str(), file.c_str())) {
		perror(file.c_str());
		abort();
	}
}

Launch read(const char *file) {
	std::ifstream in(file, std::ios::binary);
	Launch l;
	l.grid = get<dim3>(in);
	l.block = get<dim3>(in);
	l.values.resize(get<size_t>(in));
	l.blocks.resize(l.values.size());
	for (size_t i = 0; i < l.values.size(); i++) {
		l.values[i] = get<uint64_t>(in);
		l.blocks[i] = get<int>(in);
	}
	l.memory.resize(get<size_t>(in));
	for (auto &m : l.memory) {
		m.resize(get<size_t>(in));
		in.read(m.data(), (std::streamsize)m.size());
	}
	if (!in) {
		fprintf(stderr, "%s: no launch\n", file);
		exit(2);
	}
	return l;
}

} // namespace record
