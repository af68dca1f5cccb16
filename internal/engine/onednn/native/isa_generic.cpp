#define ISA generic
#include "kernel_table.hpp"
