#pragma once
#include "api_common.h"

// The second C API (`duckdb_v2_*`), as much of it as is called, as DuckDB 2.0.1 has it (`V2Edition` says what others have); every function
// returns an error code (0: none) and takes a last argument that receives the error's details.

typedef struct {
  const char *ptr;
  uint64_t len;
} duckdb_v2_text;

typedef struct {
  void *ptr;
  void (*destroy)(void *);
  bool (*equals)(void *, void *);
} duckdb_v2_owned;

typedef void (*duckdb_v2_bind)(duckdb_handle info, duckdb_handle result, duckdb_handle context, duckdb_handle *error);
typedef void (*duckdb_v2_callback)(duckdb_handle info, duckdb_handle context, duckdb_handle *error);

/// `parse_sql` of DuckDB 2.0.0.
typedef int32_t (*duckdb_v2_first_parse_sql)(duckdb_handle connection, const char *sql, duckdb_handle *iterator, duckdb_handle *error);

#define DUCKDB_V2_FUNCTIONS(F) \
  F(int32_t, environment_create, (duckdb_handle *environment, duckdb_handle *error)) \
  F(int32_t, environment_destroy, (duckdb_handle *environment)) \
  F(int32_t, instance_create_with_options, (duckdb_handle environment, const duckdb_v2_text *names, const duckdb_v2_text *values, uint64_t count, duckdb_handle *instance, duckdb_handle *error)) \
  F(int32_t, instance_attach, (duckdb_handle instance, const duckdb_v2_text *name, const duckdb_v2_text *path, duckdb_handle options, bool make_default, duckdb_handle *error)) \
  F(int32_t, instance_destroy, (duckdb_handle *instance)) \
  F(int32_t, instance_register_replacement_scan, (duckdb_handle instance, duckdb_handle scan, duckdb_handle *error)) \
  F(int32_t, connection_create, (duckdb_handle instance, duckdb_handle *connection, duckdb_handle *error)) \
  F(int32_t, connection_destroy, (duckdb_handle *connection)) \
  F(int32_t, connection_interrupt, (duckdb_handle connection, duckdb_handle *error)) \
  F(int32_t, connection_progress_get, (duckdb_handle connection, double *percentage, uint64_t *done, uint64_t *total, duckdb_handle *error)) \
  F(int32_t, connection_get_factory, (duckdb_handle connection, duckdb_handle *factory, duckdb_handle *error)) \
  F(int32_t, connection_register_table_function, (duckdb_handle connection, duckdb_handle function, duckdb_handle *error)) \
  F(int32_t, context_get_factory, (duckdb_handle context, duckdb_handle *factory, duckdb_handle *error)) \
  F(int32_t, error_info_get_code, (duckdb_handle info, int32_t *code)) \
  F(int32_t, error_info_get_text, (duckdb_handle info, duckdb_v2_text *text)) \
  F(int32_t, error_info_set_code, (duckdb_handle info, int32_t code)) \
  F(int32_t, error_info_set_text, (duckdb_handle info, const duckdb_v2_text *text)) \
  F(int32_t, error_info_destroy, (duckdb_handle *info)) \
  F(int32_t, parse_sql, (duckdb_handle connection, const char *sql, bool fails_transaction, duckdb_handle *iterator, duckdb_handle *error)) \
  F(int32_t, statement_iterator_next, (duckdb_handle iterator, duckdb_handle *statement, duckdb_handle *error)) \
  F(int32_t, statement_iterator_destroy, (duckdb_handle *iterator)) \
  F(int32_t, sql_statement_get_parameter_count, (duckdb_handle statement, uint64_t *count, duckdb_handle *error)) \
  F(int32_t, sql_statement_get_parameter_name, (duckdb_handle statement, uint64_t index, duckdb_v2_text *name, duckdb_handle *error)) \
  F(int32_t, sql_statement_get_text, (duckdb_handle statement, duckdb_v2_text *text, duckdb_handle *error)) \
  F(int32_t, sql_statement_destroy, (duckdb_handle *statement)) \
  F(int32_t, prepared_statement_create, (duckdb_handle connection, duckdb_handle statement, bool requires_reuse, duckdb_handle *prepared, duckdb_handle *error)) \
  F(int32_t, prepared_statement_execute_arrow, (duckdb_handle prepared, const duckdb_v2_text *names, const duckdb_handle *values, uint64_t count, uint64_t batch_rows, duckdb_handle *result, duckdb_handle *error)) \
  F(int32_t, prepared_statement_destroy, (duckdb_handle *prepared)) \
  F(int32_t, statement_execute_arrow, (duckdb_handle connection, duckdb_handle statement, const duckdb_v2_text *names, const duckdb_handle *values, uint64_t count, uint64_t batch_rows, duckdb_handle *result, duckdb_handle *error)) \
  F(int32_t, arrow_result_get_schema, (duckdb_handle result, struct ArrowSchema *schema, duckdb_handle *error)) \
  F(int32_t, arrow_result_fetch_array, (duckdb_handle result, struct ArrowArray *array, duckdb_handle *error)) \
  F(int32_t, arrow_result_drain, (duckdb_handle result, uint64_t *changed, duckdb_handle *error)) \
  F(int32_t, arrow_result_get_statement_type, (duckdb_handle result, int32_t *type, duckdb_handle *error)) \
  F(int32_t, arrow_result_destroy, (duckdb_handle *result)) \
  F(int32_t, arrow_importer_create, (duckdb_handle context, struct ArrowSchema *schema, uint64_t batch_rows, duckdb_handle *importer, duckdb_handle *error)) \
  F(int32_t, arrow_importer_get_schema, (duckdb_handle importer, duckdb_handle *schema, duckdb_handle *error)) \
  F(int32_t, arrow_importer_append, (duckdb_handle importer, struct ArrowArray *array, bool consume, bool flush, duckdb_handle *error)) \
  F(int32_t, arrow_importer_next_chunk, (duckdb_handle importer, duckdb_handle *chunk, duckdb_handle *error)) \
  F(int32_t, arrow_importer_destroy, (duckdb_handle *importer)) \
  F(int32_t, schema_get_field, (duckdb_handle schema, uint64_t index, duckdb_v2_text *name, duckdb_handle *type, duckdb_handle *error)) \
  F(int32_t, schema_destroy, (duckdb_handle *schema)) \
  F(int32_t, table_function_create, (duckdb_handle factory, duckdb_handle *function, duckdb_handle *error)) \
  F(int32_t, table_function_destroy, (duckdb_handle *function)) \
  F(int32_t, table_function_set_name, (duckdb_handle function, const duckdb_v2_text *name, duckdb_handle *error)) \
  F(int32_t, table_function_get_signature, (duckdb_handle function, duckdb_handle *signature, duckdb_handle *error)) \
  F(int32_t, function_signature_add_parameter, (duckdb_handle signature, const duckdb_v2_text *name, duckdb_handle type, duckdb_handle value, int32_t kind, duckdb_handle *error)) \
  F(int32_t, table_function_set_user_data, (duckdb_handle function, duckdb_v2_owned *data, duckdb_handle *error)) \
  F(int32_t, table_function_set_bind_callback, (duckdb_handle function, duckdb_v2_bind callback, duckdb_handle *error)) \
  F(int32_t, table_function_set_init_global_callback, (duckdb_handle function, duckdb_v2_callback callback, duckdb_handle *error)) \
  F(int32_t, table_function_set_init_local_callback, (duckdb_handle function, duckdb_v2_callback callback, duckdb_handle *error)) \
  F(int32_t, table_function_set_exec_callback, (duckdb_handle function, duckdb_v2_callback callback, duckdb_handle *error)) \
  F(int32_t, table_function_set_progress_callback, (duckdb_handle function, duckdb_v2_callback callback, duckdb_handle *error)) \
  F(int32_t, table_function_set_filter_pushdown_callback, (duckdb_handle function, duckdb_v2_callback callback, duckdb_handle *error)) \
  F(int32_t, table_function_set_partition_data_callback, (duckdb_handle function, duckdb_v2_callback callback, duckdb_handle *error)) \
  F(int32_t, table_function_set_projection_pushdown, (duckdb_handle function, bool enable, duckdb_handle *error)) \
  F(int32_t, function_bind_get_user_data, (duckdb_handle info, void **data, duckdb_handle *error)) \
  F(int32_t, function_bind_get_arg_value, (duckdb_handle info, uint64_t index, duckdb_handle *value, duckdb_handle *error)) \
  F(int32_t, function_bind_set_bind_data, (duckdb_handle info, duckdb_v2_owned *data, duckdb_handle *error)) \
  F(int32_t, table_function_bind_add_result_column, (duckdb_handle info, const duckdb_v2_text *name, duckdb_handle type, duckdb_handle *error)) \
  F(int32_t, table_function_bind_set_cardinality, (duckdb_handle info, uint64_t cardinality, bool exact, duckdb_handle *error)) \
  F(int32_t, table_function_init_global_get_bind_data, (duckdb_handle info, void **data, duckdb_handle *error)) \
  F(int32_t, table_function_init_global_set_global_state, (duckdb_handle info, duckdb_v2_owned *data, duckdb_handle *error)) \
  F(int32_t, table_function_init_global_set_max_threads, (duckdb_handle info, uint64_t threads, duckdb_handle *error)) \
  F(int32_t, table_function_init_global_get_column_count, (duckdb_handle info, uint64_t *count, duckdb_handle *error)) \
  F(int32_t, table_function_init_global_get_column_index, (duckdb_handle info, uint64_t index, uint64_t *column, duckdb_handle *error)) \
  F(int32_t, table_function_init_local_get_global_state, (duckdb_handle info, void **data, duckdb_handle *error)) \
  F(int32_t, table_function_init_local_set_local_state, (duckdb_handle info, duckdb_v2_owned *data, duckdb_handle *error)) \
  F(int32_t, table_function_exec_get_global_state, (duckdb_handle info, void **data, duckdb_handle *error)) \
  F(int32_t, table_function_exec_get_local_state, (duckdb_handle info, void **data, duckdb_handle *error)) \
  F(int32_t, table_function_exec_get_output_chunk, (duckdb_handle info, duckdb_handle *chunk, duckdb_handle *error)) \
  F(int32_t, table_function_progress_get_global_state, (duckdb_handle info, void **data, duckdb_handle *error)) \
  F(int32_t, table_function_progress_set_progress, (duckdb_handle info, double progress, duckdb_handle *error)) \
  F(int32_t, table_function_partition_data_get_local_state, (duckdb_handle info, void **data, duckdb_handle *error)) \
  F(int32_t, table_function_partition_data_set_batch_index, (duckdb_handle info, uint64_t index, duckdb_handle *error)) \
  F(int32_t, table_function_filter_pushdown_get_bind_data, (duckdb_handle info, void **data, duckdb_handle *error)) \
  F(int32_t, table_function_filter_pushdown_get_filter_count, (duckdb_handle info, uint64_t *count, duckdb_handle *error)) \
  F(int32_t, table_function_filter_pushdown_get_filter, (duckdb_handle info, uint64_t index, duckdb_handle *filter, duckdb_handle *error)) \
  F(int32_t, table_function_filter_pushdown_get_column_count, (duckdb_handle info, uint64_t *count, duckdb_handle *error)) \
  F(int32_t, table_function_filter_pushdown_get_column_index, (duckdb_handle info, uint64_t index, uint64_t *column, duckdb_handle *error)) \
  F(int32_t, expression_get_type, (duckdb_handle expression, int32_t *type, duckdb_handle *error)) \
  F(int32_t, expression_get_return_type, (duckdb_handle expression, duckdb_handle *type, duckdb_handle *error)) \
  F(int32_t, expression_get_child_count, (duckdb_handle expression, uint64_t *count, duckdb_handle *error)) \
  F(int32_t, expression_get_child, (duckdb_handle expression, uint64_t index, duckdb_handle *child, duckdb_handle *error)) \
  F(int32_t, expression_constant_get_value, (duckdb_handle expression, duckdb_handle *value, duckdb_handle *error)) \
  F(int32_t, expression_column_ref_get_index, (duckdb_handle expression, uint64_t *index, duckdb_handle *error)) \
  F(int32_t, expression_function_get_name, (duckdb_handle expression, duckdb_v2_text *name, duckdb_handle *error)) \
  F(int32_t, replacement_scan_create, (duckdb_handle factory, duckdb_handle *scan, duckdb_handle *error)) \
  F(int32_t, replacement_scan_destroy, (duckdb_handle *scan)) \
  F(int32_t, replacement_scan_set_callback, (duckdb_handle scan, duckdb_v2_callback callback, duckdb_handle *error)) \
  F(int32_t, replacement_scan_set_user_data, (duckdb_handle scan, duckdb_v2_owned *data, duckdb_handle *error)) \
  F(int32_t, replacement_scan_get_user_data, (duckdb_handle info, void **data, duckdb_handle *error)) \
  F(int32_t, replacement_scan_get_name, (duckdb_handle info, duckdb_handle *name, duckdb_handle *error)) \
  F(int32_t, replacement_scan_set_function_name, (duckdb_handle info, duckdb_handle name, duckdb_handle *error)) \
  F(int32_t, replacement_scan_add_argument, (duckdb_handle info, duckdb_handle value, duckdb_handle *error)) \
  F(int32_t, qname_create, (const duckdb_v2_text *parts, uint64_t count, duckdb_handle *name, duckdb_handle *error)) \
  F(int32_t, qname_get_part_count, (duckdb_handle name, uint64_t *count, duckdb_handle *error)) \
  F(int32_t, qname_get_part, (duckdb_handle name, uint64_t index, duckdb_v2_text *part, duckdb_handle *error)) \
  F(int32_t, qname_destroy, (duckdb_handle *name)) \
  F(int32_t, factory_create_type_from_id, (duckdb_handle factory, int32_t id, const duckdb_v2_text *names, const duckdb_handle *values, uint64_t count, duckdb_handle *type, duckdb_handle *error)) \
  F(int32_t, factory_create_type_from_text, (duckdb_handle factory, const duckdb_v2_text *text, duckdb_handle *type, duckdb_handle *error)) \
  F(int32_t, logical_type_copy, (duckdb_handle type, duckdb_handle *out, duckdb_handle *error)) \
  F(int32_t, logical_type_get_id, (duckdb_handle type, int32_t *id, duckdb_handle *error)) \
  F(int32_t, logical_type_destroy, (duckdb_handle *type)) \
  F(int32_t, value_destroy, (duckdb_handle *value)) \
  F(int32_t, value_is_null, (duckdb_handle value, bool *null, duckdb_handle *error)) \
  F(int32_t, value_get_bool, (duckdb_handle value, bool *out, duckdb_handle *error)) \
  F(int32_t, value_get_tinyint, (duckdb_handle value, int8_t *out, duckdb_handle *error)) \
  F(int32_t, value_get_smallint, (duckdb_handle value, int16_t *out, duckdb_handle *error)) \
  F(int32_t, value_get_int, (duckdb_handle value, int32_t *out, duckdb_handle *error)) \
  F(int32_t, value_get_bigint, (duckdb_handle value, int64_t *out, duckdb_handle *error)) \
  F(int32_t, value_get_utinyint, (duckdb_handle value, uint8_t *out, duckdb_handle *error)) \
  F(int32_t, value_get_usmallint, (duckdb_handle value, uint16_t *out, duckdb_handle *error)) \
  F(int32_t, value_get_uint, (duckdb_handle value, uint32_t *out, duckdb_handle *error)) \
  F(int32_t, value_get_ubigint, (duckdb_handle value, uint64_t *out, duckdb_handle *error)) \
  F(int32_t, value_get_float, (duckdb_handle value, float *out, duckdb_handle *error)) \
  F(int32_t, value_get_double, (duckdb_handle value, double *out, duckdb_handle *error)) \
  F(int32_t, value_get_decimal, (duckdb_handle value, duckdb_hugeint *out, uint8_t *width, uint8_t *scale, duckdb_handle *error)) \
  F(int32_t, value_get_date, (duckdb_handle value, int32_t *out, duckdb_handle *error)) \
  F(int32_t, value_get_time, (duckdb_handle value, int64_t *out, duckdb_handle *error)) \
  F(int32_t, value_get_timestamp, (duckdb_handle value, int64_t *out, duckdb_handle *error)) \
  F(int32_t, value_get_timestamp_sec, (duckdb_handle value, int64_t *out, duckdb_handle *error)) \
  F(int32_t, value_get_timestamp_ms, (duckdb_handle value, int64_t *out, duckdb_handle *error)) \
  F(int32_t, value_get_timestamp_ns, (duckdb_handle value, int64_t *out, duckdb_handle *error)) \
  F(int32_t, value_get_timestamp_tz, (duckdb_handle value, int64_t *out, duckdb_handle *error)) \
  F(int32_t, value_get_varchar, (duckdb_handle value, duckdb_v2_text *out, duckdb_handle *error)) \
  F(int32_t, value_create_null, (duckdb_handle factory, duckdb_handle type, duckdb_handle *out, duckdb_handle *error)) \
  F(int32_t, value_create_bool, (duckdb_handle factory, bool value, duckdb_handle *out, duckdb_handle *error)) \
  F(int32_t, value_create_int, (duckdb_handle factory, int32_t value, duckdb_handle *out, duckdb_handle *error)) \
  F(int32_t, value_create_bigint, (duckdb_handle factory, int64_t value, duckdb_handle *out, duckdb_handle *error)) \
  F(int32_t, value_create_ubigint, (duckdb_handle factory, uint64_t value, duckdb_handle *out, duckdb_handle *error)) \
  F(int32_t, value_create_hugeint, (duckdb_handle factory, const duckdb_hugeint *value, duckdb_handle *out, duckdb_handle *error)) \
  F(int32_t, value_create_double, (duckdb_handle factory, double value, duckdb_handle *out, duckdb_handle *error)) \
  F(int32_t, value_create_varchar, (duckdb_handle factory, const duckdb_v2_text *value, duckdb_handle *out, duckdb_handle *error)) \
  F(int32_t, value_create_blob, (duckdb_handle factory, const duckdb_v2_text *value, duckdb_handle *out, duckdb_handle *error)) \
  F(int32_t, value_create_date, (duckdb_handle factory, int32_t value, duckdb_handle *out, duckdb_handle *error)) \
  F(int32_t, value_create_time, (duckdb_handle factory, int64_t value, duckdb_handle *out, duckdb_handle *error)) \
  F(int32_t, value_create_timestamp, (duckdb_handle factory, int64_t value, duckdb_handle *out, duckdb_handle *error)) \
  F(int32_t, value_create_timestamp_tz, (duckdb_handle factory, int64_t value, duckdb_handle *out, duckdb_handle *error)) \
  F(int32_t, value_create_timestamp_ns, (duckdb_handle factory, int64_t value, duckdb_handle *out, duckdb_handle *error)) \
  F(int32_t, value_create_interval, (duckdb_handle factory, const duckdb_interval *value, duckdb_handle *out, duckdb_handle *error)) \
  F(int32_t, value_create_decimal, (duckdb_handle factory, const duckdb_hugeint *value, uint8_t width, uint8_t scale, duckdb_handle *out, duckdb_handle *error)) \
  F(int32_t, value_create_list, (duckdb_handle factory, duckdb_handle child_type, const duckdb_handle *children, uint64_t count, duckdb_handle *out, duckdb_handle *error)) \
  F(int32_t, value_create_struct, (duckdb_handle factory, const duckdb_v2_text *names, const duckdb_handle *children, uint64_t count, duckdb_handle *out, duckdb_handle *error)) \
  F(int32_t, value_cast, (duckdb_handle factory, duckdb_handle value, duckdb_handle type, duckdb_handle *out, duckdb_handle *error)) \
  F(int32_t, data_chunk_get_vector, (duckdb_handle chunk, uint64_t index, duckdb_handle *vector, duckdb_handle *error)) \
  F(int32_t, data_chunk_destroy, (duckdb_handle *chunk)) \
  F(int32_t, vector_get_data_mutable, (duckdb_handle vector, void **data, duckdb_handle *error)) \
  F(int32_t, vector_flat_get_validity_mutable, (duckdb_handle vector, uint64_t **validity, duckdb_handle *error)) \
  F(int32_t, vector_get_arena, (duckdb_handle vector, duckdb_handle *arena, duckdb_handle *error)) \
  F(int32_t, arena_allocate, (duckdb_handle arena, uint64_t byte_count, uint8_t **memory, duckdb_handle *error)) \
  F(int32_t, vector_reference, (duckdb_handle vector, duckdb_handle source, duckdb_handle *error)) \
  F(int32_t, vector_get_size, (duckdb_handle vector, uint64_t *size, duckdb_handle *error)) \
  F(int32_t, vector_get_vector_type, (duckdb_handle vector, int32_t *kind, duckdb_handle *error)) \
  F(int32_t, vector_set_size, (duckdb_handle vector, uint64_t size, duckdb_handle *error)) \
  F(int32_t, vector_get_child, (duckdb_handle vector, uint64_t index, duckdb_handle *child, duckdb_handle *error))

typedef struct {
  DUCKDB_V2_FUNCTIONS(DUCKDB_FIELD)
} duckdb_v2_functions;

/// The names of the fields, in their order; the symbols are `duckdb_v2_` + name.
static inline const char *const *duckdb_v2_names(void) {
  static const char *const names[] = {DUCKDB_V2_FUNCTIONS(DUCKDB_NAME) NULL};
  return names;
}
