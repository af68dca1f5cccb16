#include "heapcount.h"

#include <errno.h>
#include <link.h>
#include <new>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

extern "C" {
void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);
void *__libc_memalign(size_t, size_t);
}

namespace {

thread_local bool counting;
thread_local hc_count count;
uintptr_t onednn_begin, onednn_end;

// note counts a call that returns to `caller`.
inline void note(void *caller) {
  if (__builtin_expect(!counting, true)) return;
  bool in = uintptr_t(caller) >= onednn_begin && uintptr_t(caller) < onednn_end;
  (in ? count.onednn : count.others)++;
}

int find_onednn(dl_phdr_info *library, size_t, void *) {
  if (!strstr(library->dlpi_name, "libdnnl")) return 0;
  for (int i = 0; i < library->dlpi_phnum; i++) {
    auto &part = library->dlpi_phdr[i];
    if (part.p_type != PT_LOAD || !(part.p_flags & PF_X)) continue;
    onednn_begin = library->dlpi_addr + part.p_vaddr;
    onednn_end = onednn_begin + part.p_memsz;
  }
  return 1;
}

inline void *or_throw(void *p) {
  if (!p) throw std::bad_alloc();
  return p;
}

inline size_t aligned(std::align_val_t a) { return size_t(a); }

} // namespace

#define CALLER __builtin_return_address(0)

extern "C" {

void hc_start(void) {
  dl_iterate_phdr(find_onednn, nullptr);
  count = {};
  counting = true;
}
hc_count hc_stop(void) {
  counting = false;
  return count;
}
void hc_take_one(void) {
  void *volatile p = operator new(1); // volatile, or the compiler leaves both out
  operator delete(p);
}

void *malloc(size_t n) { note(CALLER); return __libc_malloc(n); }
void *calloc(size_t n, size_t size) { note(CALLER); return __libc_calloc(n, size); }
void *realloc(void *p, size_t n) { note(CALLER); return __libc_realloc(p, n); }
void *memalign(size_t to, size_t n) { note(CALLER); return __libc_memalign(to, n); }
void *aligned_alloc(size_t to, size_t n) { note(CALLER); return __libc_memalign(to, n); }
int posix_memalign(void **p, size_t to, size_t n) {
  note(CALLER);
  *p = __libc_memalign(to, n);
  return *p ? 0 : ENOMEM;
}

} // extern "C"

void *operator new(size_t n) { note(CALLER); return or_throw(__libc_malloc(n)); }
void *operator new[](size_t n) { note(CALLER); return or_throw(__libc_malloc(n)); }
void *operator new(size_t n, const std::nothrow_t &) noexcept { note(CALLER); return __libc_malloc(n); }
void *operator new[](size_t n, const std::nothrow_t &) noexcept { note(CALLER); return __libc_malloc(n); }
void *operator new(size_t n, std::align_val_t a) { note(CALLER); return or_throw(__libc_memalign(aligned(a), n)); }
void *operator new[](size_t n, std::align_val_t a) { note(CALLER); return or_throw(__libc_memalign(aligned(a), n)); }
void operator delete(void *p) noexcept { free(p); }
void operator delete[](void *p) noexcept { free(p); }
void operator delete(void *p, size_t) noexcept { free(p); }
void operator delete[](void *p, size_t) noexcept { free(p); }
void operator delete(void *p, std::align_val_t) noexcept { free(p); }
void operator delete[](void *p, std::align_val_t) noexcept { free(p); }
