#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <carrow.h>

// DuckDB is loaded at run time: nothing here is linked. Each API is a table of function pointers that is filled by name.
// Every handle is opaque to us, in both APIs.
typedef struct duckdb_object *duckdb_handle;

typedef struct {
  uint64_t lower;
  int64_t upper;
} duckdb_hugeint;

typedef struct {
  int32_t months;
  int32_t days;
  int64_t micros;
} duckdb_interval;

#define DUCKDB_FIELD(result, name, arguments) result(*name) arguments;
#define DUCKDB_NAME(result, name, arguments) #name,
