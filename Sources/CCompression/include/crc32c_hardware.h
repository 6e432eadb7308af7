#pragma once
#include <stddef.h>
#include <stdint.h>
#include <string.h>

// CRC-32C by the processor's own instruction, which Swift cannot reach otherwise.

#if defined(__x86_64__)
#include <cpuid.h>

static inline int crc32c_hardware_is_available(void) {
  unsigned a, b, c, d;
  return __get_cpuid(1, &a, &b, &c, &d) && (c >> 20 & 1);
}

__attribute__((target("sse4.2"))) static inline uint32_t crc32c_hardware(uint32_t state, const unsigned char *bytes, size_t byteCount) {
  uint64_t crc = state, word;
  for (; byteCount >= 8; bytes += 8, byteCount -= 8) {
    memcpy(&word, bytes, 8);
    crc = __builtin_ia32_crc32di(crc, word);
  }
  for (; byteCount > 0; bytes++, byteCount--) crc = __builtin_ia32_crc32qi((uint32_t)crc, *bytes);
  return (uint32_t)crc;
}

typedef struct {
  uint32_t first, second, third;
} crc32c_states;

// Three stretches of `byteCount` bytes (a multiple of 8) that follow each other, at once: the instruction has a latency of three.
__attribute__((target("sse4.2"))) static inline crc32c_states crc32c_hardware_three(uint32_t state, const unsigned char *bytes,
                                                                                    size_t byteCount) {
  uint64_t a = state, b = 0, c = 0, x, y, z;
  for (const unsigned char *end = bytes + byteCount; bytes < end; bytes += 8) {
    memcpy(&x, bytes, 8);
    memcpy(&y, bytes + byteCount, 8);
    memcpy(&z, bytes + 2 * byteCount, 8);
    a = __builtin_ia32_crc32di(a, x);
    b = __builtin_ia32_crc32di(b, y);
    c = __builtin_ia32_crc32di(c, z);
  }
  crc32c_states states = {(uint32_t)a, (uint32_t)b, (uint32_t)c};
  return states;
}

#else

typedef struct {
  uint32_t first, second, third;
} crc32c_states;

static inline int crc32c_hardware_is_available(void) { return 0; }
static inline uint32_t crc32c_hardware(uint32_t state, const unsigned char *bytes, size_t byteCount) { return state; }
static inline crc32c_states crc32c_hardware_three(uint32_t state, const unsigned char *bytes, size_t byteCount) {
  crc32c_states states = {state, 0, 0};
  return states;
}

#endif
