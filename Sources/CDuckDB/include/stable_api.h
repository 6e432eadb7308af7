#pragma once
#include "api_common.h"

// The stable C API (`duckdb_*`), as much of it as is called. DuckDB 1.5 and later.

typedef struct {
  uint64_t deprecated_column_count, deprecated_row_count, deprecated_rows_changed;
  void *deprecated_columns;
  char *deprecated_error_message;
  void *internal_data;
} duckdb_v1_result;

typedef struct { int32_t days; } duckdb_v1_date;
typedef struct { int64_t micros; } duckdb_v1_time;
typedef struct { int64_t value; } duckdb_v1_timestamp;
typedef struct { uint8_t width, scale; duckdb_hugeint value; } duckdb_v1_decimal;
typedef struct { double percentage; uint64_t done, total; } duckdb_v1_progress;

typedef void (*duckdb_v1_callback)(duckdb_handle info);
typedef void (*duckdb_v1_exec)(duckdb_handle info, duckdb_handle chunk);
typedef void (*duckdb_v1_replacement)(duckdb_handle info, const char *table_name, void *data);
typedef void (*duckdb_v1_delete)(void *data);

#define DUCKDB_V1_FUNCTIONS(F) \
  F(const char *, library_version, (void)) \
  F(void, free, (void *)) \
  F(int, open_ext, (const char *path, duckdb_handle *database, duckdb_handle config, char **error)) \
  F(void, close, (duckdb_handle *database)) \
  F(int, connect, (duckdb_handle database, duckdb_handle *connection)) \
  F(void, disconnect, (duckdb_handle *connection)) \
  F(void, interrupt, (duckdb_handle connection)) \
  F(duckdb_v1_progress, query_progress, (duckdb_handle connection)) \
  F(int, create_config, (duckdb_handle *config)) \
  F(int, set_config, (duckdb_handle config, const char *name, const char *option)) \
  F(void, destroy_config, (duckdb_handle *config)) \
  F(int, query, (duckdb_handle connection, const char *sql, duckdb_v1_result *result)) \
  F(uint64_t, extract_statements, (duckdb_handle connection, const char *sql, duckdb_handle *statements)) \
  F(const char *, extract_statements_error, (duckdb_handle statements)) \
  F(int, prepare_extracted_statement, (duckdb_handle connection, duckdb_handle statements, uint64_t index, duckdb_handle *prepared)) \
  F(void, destroy_extracted, (duckdb_handle *statements)) \
  F(const char *, prepare_error, (duckdb_handle prepared)) \
  F(void, destroy_prepare, (duckdb_handle *prepared)) \
  F(uint64_t, nparams, (duckdb_handle prepared)) \
  F(const char *, parameter_name, (duckdb_handle prepared, uint64_t index)) \
  F(int, bind_value, (duckdb_handle prepared, uint64_t index, duckdb_handle value)) \
  F(int, execute_prepared_streaming, (duckdb_handle prepared, duckdb_v1_result *result)) \
  F(void, destroy_result, (duckdb_v1_result *result)) \
  F(const char *, result_error, (duckdb_v1_result *result)) \
  F(int32_t, prepared_statement_type, (duckdb_handle prepared)) \
  F(duckdb_handle, fetch_chunk, (duckdb_v1_result result)) \
  F(uint64_t, column_count, (duckdb_v1_result *result)) \
  F(const char *, column_name, (duckdb_v1_result *result, uint64_t column)) \
  F(duckdb_handle, column_logical_type, (duckdb_v1_result *result, uint64_t column)) \
  F(duckdb_handle, result_get_arrow_options, (duckdb_v1_result *result)) \
  F(void, destroy_arrow_options, (duckdb_handle *options)) \
  F(duckdb_handle, to_arrow_schema, (duckdb_handle options, duckdb_handle *types, const char **names, uint64_t count, struct ArrowSchema *out)) \
  F(duckdb_handle, data_chunk_to_arrow, (duckdb_handle options, duckdb_handle chunk, struct ArrowArray *out)) \
  F(duckdb_handle, schema_from_arrow, (duckdb_handle connection, struct ArrowSchema *schema, duckdb_handle *converted)) \
  F(duckdb_handle, data_chunk_from_arrow, (duckdb_handle connection, struct ArrowArray *array, duckdb_handle converted, duckdb_handle *chunk)) \
  F(void, destroy_arrow_converted_schema, (duckdb_handle *converted)) \
  F(const char *, error_data_message, (duckdb_handle error)) \
  F(bool, error_data_has_error, (duckdb_handle error)) \
  F(void, destroy_error_data, (duckdb_handle *error)) \
  F(duckdb_handle, create_table_function, (void)) \
  F(void, destroy_table_function, (duckdb_handle *function)) \
  F(void, table_function_set_name, (duckdb_handle function, const char *name)) \
  F(void, table_function_add_parameter, (duckdb_handle function, duckdb_handle type)) \
  F(void, table_function_set_extra_info, (duckdb_handle function, void *info, duckdb_v1_delete destroy)) \
  F(void, table_function_set_bind, (duckdb_handle function, duckdb_v1_callback bind)) \
  F(void, table_function_set_init, (duckdb_handle function, duckdb_v1_callback init)) \
  F(void, table_function_set_local_init, (duckdb_handle function, duckdb_v1_callback init)) \
  F(void, table_function_set_function, (duckdb_handle function, duckdb_v1_exec exec)) \
  F(void, table_function_supports_projection_pushdown, (duckdb_handle function, bool pushdown)) \
  F(int, register_table_function, (duckdb_handle connection, duckdb_handle function)) \
  F(void *, bind_get_extra_info, (duckdb_handle info)) \
  F(duckdb_handle, bind_get_parameter, (duckdb_handle info, uint64_t index)) \
  F(void, bind_add_result_column, (duckdb_handle info, const char *name, duckdb_handle type)) \
  F(void, bind_set_cardinality, (duckdb_handle info, uint64_t cardinality, bool exact)) \
  F(void, bind_set_bind_data, (duckdb_handle info, void *data, duckdb_v1_delete destroy)) \
  F(void, bind_set_error, (duckdb_handle info, const char *error)) \
  F(void *, init_get_bind_data, (duckdb_handle info)) \
  F(void *, init_get_extra_info, (duckdb_handle info)) \
  F(void, init_set_init_data, (duckdb_handle info, void *data, duckdb_v1_delete destroy)) \
  F(uint64_t, init_get_column_count, (duckdb_handle info)) \
  F(uint64_t, init_get_column_index, (duckdb_handle info, uint64_t index)) \
  F(void, init_set_max_threads, (duckdb_handle info, uint64_t threads)) \
  F(void, init_set_error, (duckdb_handle info, const char *error)) \
  F(void *, function_get_init_data, (duckdb_handle info)) \
  F(void *, function_get_local_init_data, (duckdb_handle info)) \
  F(void, function_set_error, (duckdb_handle info, const char *error)) \
  F(void, add_replacement_scan, (duckdb_handle database, duckdb_v1_replacement scan, void *data, duckdb_v1_delete destroy)) \
  F(void, replacement_scan_set_function_name, (duckdb_handle info, const char *name)) \
  F(void, replacement_scan_add_parameter, (duckdb_handle info, duckdb_handle value)) \
  F(void, replacement_scan_set_error, (duckdb_handle info, const char *error)) \
  F(duckdb_handle, create_logical_type, (int32_t type)) \
  F(void, destroy_logical_type, (duckdb_handle *type)) \
  F(duckdb_handle, get_value_type, (duckdb_handle value)) \
  F(duckdb_handle, create_struct_type, (duckdb_handle *types, const char **names, uint64_t count)) \
  F(char *, get_varchar, (duckdb_handle value)) \
  F(void, destroy_value, (duckdb_handle *value)) \
  F(duckdb_handle, create_null_value, (void)) \
  F(duckdb_handle, create_bool, (bool value)) \
  F(duckdb_handle, create_int32, (int32_t value)) \
  F(duckdb_handle, create_int64, (int64_t value)) \
  F(duckdb_handle, create_uint64, (uint64_t value)) \
  F(duckdb_handle, create_hugeint, (duckdb_hugeint value)) \
  F(duckdb_handle, create_double, (double value)) \
  F(duckdb_handle, create_varchar_length, (const char *text, uint64_t length)) \
  F(duckdb_handle, create_blob, (const uint8_t *data, uint64_t length)) \
  F(duckdb_handle, create_date, (duckdb_v1_date value)) \
  F(duckdb_handle, create_time, (duckdb_v1_time value)) \
  F(duckdb_handle, create_timestamp, (duckdb_v1_timestamp value)) \
  F(duckdb_handle, create_timestamp_tz, (duckdb_v1_timestamp value)) \
  F(duckdb_handle, create_timestamp_ns, (duckdb_v1_timestamp value)) \
  F(duckdb_handle, create_interval, (duckdb_interval value)) \
  F(duckdb_handle, create_decimal, (duckdb_v1_decimal value)) \
  F(duckdb_handle, create_uuid, (duckdb_hugeint value)) \
  F(duckdb_handle, create_list_value, (duckdb_handle type, duckdb_handle *values, uint64_t count)) \
  F(duckdb_handle, create_struct_value, (duckdb_handle type, duckdb_handle *values)) \
  F(void, destroy_data_chunk, (duckdb_handle *chunk)) \
  F(duckdb_handle, data_chunk_get_vector, (duckdb_handle chunk, uint64_t column)) \
  F(uint64_t, data_chunk_get_size, (duckdb_handle chunk)) \
  F(void, data_chunk_set_size, (duckdb_handle chunk, uint64_t size)) \
  F(duckdb_handle, vector_get_column_type, (duckdb_handle vector)) \
  F(void *, vector_get_data, (duckdb_handle vector)) \
  F(uint64_t *, vector_get_validity, (duckdb_handle vector)) \
  F(void, vector_ensure_validity_writable, (duckdb_handle vector)) \
  F(void, vector_reference_vector, (duckdb_handle to, duckdb_handle from)) \
  F(duckdb_handle, create_vector, (duckdb_handle type, uint64_t capacity)) \
  F(void, destroy_vector, (duckdb_handle *vector)) \
  F(duckdb_handle, create_selection_vector, (uint64_t size)) \
  F(void, destroy_selection_vector, (duckdb_handle selection)) \
  F(uint32_t *, selection_vector_get_data_ptr, (duckdb_handle selection)) \
  F(void, slice_vector, (duckdb_handle vector, duckdb_handle selection, uint64_t count)) \
  F(void, unsafe_vector_assign_string_element_len, (duckdb_handle vector, uint64_t row, const char *text, uint64_t length))

typedef struct {
  DUCKDB_V1_FUNCTIONS(DUCKDB_FIELD)
} duckdb_v1_functions;

/// The names of the fields, in their order; the symbols are `duckdb_` + name.
static inline const char *const *duckdb_v1_names(void) {
  static const char *const names[] = {DUCKDB_V1_FUNCTIONS(DUCKDB_NAME) NULL};
  return names;
}
