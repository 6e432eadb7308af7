import ArrowData
import CArrow
import Primitives

/// Which functions of SQL give the same for the same arguments, whenever they are called.
struct FunctionNames: Sendable {
  /// Of DuckDB and its extensions, whose every form is `CONSISTENT`, or depends on the session's time zone only: that is a setting, and whoever
  /// changes one has results of his own.
  let consistent: Set<String>
  /// Macros and functions that SQL has made: they may stand before others of the name.
  let ofUsers: Set<String>

  /// Reads them as a session sees them. Takes some 30 ms.
  static func read(_ connection: any Connection) throws(CacheError) -> FunctionNames {
    let sql = """
      SELECT CASE WHEN bool_or(NOT internal) THEN '!' ELSE '=' END || lower(function_name) FROM system.main.duckdb_functions()
      GROUP BY lower(function_name)
      HAVING bool_or(NOT internal) OR bool_and(function_type IN ('scalar', 'aggregate', 'window') AND coalesce(stability = 'CONSISTENT'
        OR stability = 'CONSISTENT_WITHIN_QUERY' AND list_has_any(parameter_types, ['TIMESTAMP WITH TIME ZONE', 'TIMESTAMPTZ_NS']), false))
      """
    let rows = try readTexts(try CollectedResult(try connection.execute(sql, parameters: .none), cancellation: nil))
    let names = rows.map { (isOfUser: $0.first == UInt8(ascii: "!"), name: String(decoding: $0.dropFirst(), as: UTF8.self)) }
    return FunctionNames(
      consistent: Set(names.lazy.filter { !$0.isOfUser }.map(\.name)).subtracting(unsteady), ofUsers: Set(names.lazy.filter(\.isOfUser).map(\.name)))
  }

  /// Said to be `CONSISTENT`, and by the clock, the session or the catalog all the same.
  private static let unsteady: Set<String> = [
    "age", "current_localtime", "current_localtimestamp", "current_setting", "getvariable", "in_search_path", "json_serialize_plan", "vector_type",
  ]

  /// Functions and macros of DuckDB that are known without asking: what most statements call.
  static let common: Set<String> = [
    "!~~", "!~~*", "%", "&", "*", "**", "+", "-", "->>", "/", "//", "<<", "<@", ">>", "@>", "^", "^@", "|", "||", "~", "~~", "~~*", "~~~", "abs",
    "acos", "any_value", "approx_count_distinct", "approx_quantile", "arg_max", "arg_min", "array_agg", "array_extract", "array_length", "array_slice",
    "array_to_string", "array_value", "asin", "atan", "atan2", "avg", "bit_and", "bit_count", "bit_or", "bit_xor", "bool_and", "bool_or",
    "cardinality", "cbrt", "ceil", "ceiling", "char_length", "chr", "concat", "concat_ws", "contains", "corr", "cos", "cot", "count", "count_if",
    "count_star", "covar_pop", "covar_samp", "cume_dist", "date_add", "date_diff", "date_part", "date_sub", "date_trunc", "datediff", "datepart",
    "datetrunc", "day", "dayname", "dayofmonth", "dayofweek", "dayofyear", "decade", "degrees", "dense_rank", "divide", "ends_with", "entropy",
    "epoch", "epoch_ms", "epoch_ns", "epoch_us", "even", "exp", "factorial", "favg", "first", "first_value", "flatten", "floor", "format", "fsum",
    "gcd", "generate_series", "geomean", "greatest", "group_concat", "hash", "hour", "ilike_escape", "instr", "isfinite", "isinf", "isnan", "isodow",
    "isoyear", "json_array_length", "json_extract", "json_extract_string", "json_keys", "json_type", "kurtosis", "lag", "last", "last_day",
    "last_value", "lcase", "lcm", "lead", "least", "left", "len", "length", "levenshtein", "like_escape", "list", "list_aggregate", "list_apply",
    "list_append", "list_avg", "list_concat", "list_contains", "list_count", "list_distinct", "list_extract", "list_filter", "list_has", "list_max",
    "list_min", "list_position", "list_reduce", "list_slice", "list_sort", "list_sum", "list_transform", "list_unique", "list_value", "list_zip",
    "listagg", "ln", "log", "log10", "log2", "lower", "lpad", "ltrim", "mad", "make_date", "make_time", "make_timestamp", "map", "map_contains",
    "map_entries", "map_extract", "map_from_entries", "map_keys", "map_values", "max", "max_by", "md5", "mean", "median", "microsecond",
    "millennium", "millisecond", "min", "min_by", "minute", "mod", "mode", "month", "monthname", "multiply", "not_ilike_escape", "not_like_escape",
    "nth_value", "ntile", "nullif", "ord", "percent_rank", "pi", "position", "pow", "power", "prefix", "printf", "product", "quantile",
    "quantile_cont", "quantile_disc", "quarter", "radians", "range", "rank", "rank_dense", "regexp_extract", "regexp_extract_all",
    "regexp_full_match", "regexp_matches", "regexp_replace", "regexp_split_to_array", "regr_avgx", "regr_avgy", "regr_count", "regr_intercept",
    "regr_r2", "regr_slope", "regr_sxx", "regr_sxy", "regr_syy", "repeat", "replace", "reverse", "right", "round", "row", "row_number", "rpad",
    "rtrim", "second", "sem", "sha256", "sign", "sin", "skewness", "split_part", "sqrt", "starts_with", "stddev", "stddev_pop", "stddev_samp",
    "str_split", "strftime", "string_agg", "string_split", "string_to_array", "strip_accents", "strlen", "strpos", "strptime", "struct_extract",
    "struct_insert", "struct_pack", "substr", "substring", "subtract", "suffix", "sum", "sum_no_overflow", "tan", "time_bucket", "timezone",
    "to_days", "to_hours", "to_json", "to_microseconds", "to_milliseconds", "to_minutes", "to_months", "to_seconds", "to_timestamp", "to_weeks",
    "to_years", "translate", "trim", "trunc", "try_strptime", "typeof", "ucase", "unicode", "unnest", "upper", "var_pop", "var_samp", "variance",
    "wavg", "week", "weekday", "weekofyear", "xor", "year", "yearweek",
  ]
}

/// The texts of a column of a result, nulls as empty.
func readTexts(_ source: any BatchSource, column index: Int = 0) throws(CacheError) -> [[UInt8]] {
  var texts: [[UInt8]] = []
  var array = ArrowArray()
  while try source.next(into: &array) {
    let batch = try RecordBatch(importing: &array, schema: source.schema)
    guard batch.columnCount > index, ["u", "U"].contains(source.schema.fields[index].format) else {
      throw CacheError(.query, "DuckDB gives text in a form that is not known")
    }
    let column = batch.column(index).pointee
    guard let offsets = column.buffers[1] else { continue }
    let isWide = source.schema.fields[index].format == "U"
    func offset(_ row: Int) -> Int {
      isWide ? Int(offsets.load(fromByteOffset: row * 8, as: Int64.self)) : Int(offsets.load(fromByteOffset: row * 4, as: Int32.self))
    }
    for row in Int(column.offset)..<Int(column.offset) + batch.rowCount {
      let (start, end) = (offset(row), offset(row + 1))
      texts.append(end > start ? column.buffers[2].map { Array(UnsafeRawBufferPointer(start: $0 + start, count: end - start)) } ?? [] : [])
    }
  }
  return texts
}
