#pragma once
#include <stddef.h>

// Has the processor fetch memory that will be read soon, which Swift cannot ask for. The addresses may be anything.
static inline void prefetch_bytes(const void *start, size_t byteCount) {
  const char *bytes = (const char *)start;
  for (size_t at = 0; at < byteCount; at += 64) __builtin_prefetch(bytes + at, 0, 3);
}
