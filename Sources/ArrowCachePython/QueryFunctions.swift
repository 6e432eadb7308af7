import ArrowCache
import CPython

let query: PyCFunctionFast = { _, values, count in
  function("query", values, count, of: 5) { arguments throws(Failure) in
    let (cache, sql) = (try arguments.cache(), try arguments.text("sql"))
    let parameters = try queryParameters(arguments.optional())
    let streaming = try arguments.bool("streaming")
    let cancellation = try arguments.optionalWatch()
    return try streamCapsule { stream throws(Failure) in
      let release = { if let release = stream.pointee.release { release(stream) } }
      try interruptible(cancellation, discard: release) { () throws(CacheError) in
        try cache.query(sql, parameters: parameters, cancellation: cancellation, streaming: streaming, into: stream)
      }
      if streaming { StreamRelay(around: stream, pull: interruptiblePull(cancellation)) }
    }
  }
}

let explain: PyCFunctionFast = { _, values, count in
  function("explain", values, count, of: 5) { arguments throws(Failure) in
    let (cache, sql) = (try arguments.cache(), try arguments.text("sql"))
    let parameters = try queryParameters(arguments.optional())
    let analyze = try arguments.bool("analyze")
    let cancellation = try arguments.optionalWatch()
    return try object(
      .text(
        interruptible(cancellation) { () throws(CacheError) in
          try cache.explain(sql, parameters: parameters, analyze: analyze, cancellation: cancellation)
        }))
  }
}

let status: PyCFunctionFast = { _, values, count in
  function("status", values, count, of: 1) { arguments throws(Failure) in
    let cache = try arguments.cache()
    let status = try engine { () throws(CacheError) in try cache.status() }
    let store = status.store
    return try dictionary([
      ("entry_count", .integer(store.entryCount)),
      ("partition_count", .integer(store.partitionCount)),
      ("current_size_bytes", .integer(store.currentSizeBytes)),
      ("limit_bytes", PythonValue(store.limitBytes)),
      ("threshold_bytes", PythonValue(store.thresholdBytes)),
      ("resident_bytes", .integer(store.residentBytes)),
      ("memo_bytes", .integer(store.memoBytes)),
      ("reserved_bytes", .integer(store.reservedBytes)),
      ("leased_bytes", .integer(store.leasedBytes)),
      ("result_bytes", .integer(store.resultBytes)),
      ("high_water_bytes", .integer(store.highWaterBytes)),
      ("disk_bytes", .integer(store.diskBytes)),
      ("persisted_bytes", .integer(store.persistedBytes)),
      ("persisted_file_count", .integer(store.persistedFileCount)),
      ("disk_file_count", .integer(store.diskFileCount)),
      ("disk_high_water_bytes", .integer(store.diskHighWaterBytes)),
      ("disk_limit_bytes", PythonValue(store.diskLimitBytes)),
      ("query_disk_bytes", .integer(store.queryDiskBytes)),
      ("pinned_count", .integer(store.pinnedCount)),
      ("pending_count", .integer(store.pendingCount)),
      ("pending_bytes", .integer(store.pendingBytes)),
      ("persist_failures", .integer(store.persistFailures)),
      ("last_persist_failure", PythonValue(store.lastPersistFailure)),
      ("catalog_failures", .integer(status.catalogFailures)),
      ("last_catalog_failure", PythonValue(status.lastCatalogFailure)),
      ("hits", .integer(store.hits)),
      ("misses", .integer(store.misses)),
      ("spilled_count", .integer(store.tiers.spilled.count)),
      ("spilled_bytes", .integer(store.tiers.spilled.bytes)),
      ("loaded_count", .integer(store.tiers.loaded.count)),
      ("loaded_bytes", .integer(store.tiers.loaded.bytes)),
      ("evicted_count", .integer(store.tiers.evicted.count)),
      ("evicted_bytes", .integer(store.tiers.evicted.bytes)),
      ("expired_count", .integer(store.tiers.expired.count)),
      ("expired_bytes", .integer(store.tiers.expired.bytes)),
      ("causes", .mapping(causes(store.tiers))),
      ("written_bytes", .integer(store.tiers.writtenBytes)),
      ("write_seconds", .double(store.tiers.writeSeconds)),
      ("spill_failures", .integer(store.tiers.spillFailures)),
      ("last_spill_failure", PythonValue(store.tiers.lastSpillFailure)),
      ("lost_count", .integer(store.tiers.lostCount)),
      ("refused_count", .integer(store.tiers.refusedCount)),
      ("wait_count", .integer(store.tiers.waitCount)),
      ("wait_seconds", .double(store.tiers.waitSeconds)),
      ("query_count", .integer(status.queryCount)),
      ("partitions_read", .integer(status.scans.partitionsScanned)),
      ("partitions_skipped", .integer(status.scans.partitionsSkipped)),
      ("blocks_read", .integer(status.scans.blocksScanned)),
      ("blocks_skipped", .integer(status.scans.blocksSkipped)),
      ("rows_read", .integer(status.scans.rowsScanned)),
      ("memory_bytes_read", .integer(status.scans.memoryBytesRead)),
      ("disk_bytes_read", .integer(status.scans.diskBytesRead)),
      ("rows_left_out", .integer(status.scans.remembered.rowsLeftOut)),
      ("remembered_hits", .integer(status.scans.remembered.hitCount)),
      ("remembered_bytes", .integer(status.scans.remembered.byteCount)),
      ("plan_hits", .integer(status.planHits)),
      ("result_hits", .integer(status.results?.hits ?? 0)),
      ("result_misses", .integer(status.results?.misses ?? 0)),
      ("result_count", .integer(status.results?.count ?? 0)),
      ("kept_result_bytes", .integer(status.results?.byteCount ?? 0)),
      ("duckdb_version", .text(status.duckdbVersion)),
      ("duckdb_engine", .text(status.duckdbEngine)),
      ("duckdb_memory_bytes", PythonValue(status.duckdbMemoryBytes)),
      ("uptime_seconds", .double(status.uptimeSeconds)),
    ])
  }
}

/// How often entries and segments went where they went, by the reason.
private func causes(_ tiers: TierCounters) -> [(key: String, value: PythonValue)] {
  let tallies = [("spilled", tiers.spilled), ("loaded", tiers.loaded), ("evicted", tiers.evicted), ("expired", tiers.expired)]
  return tallies.map { name, tally in
    (name, .mapping(tally.causes.sorted { $0.key < $1.key }.map { ($0.key, .integer($0.value)) }))
  }
}

let knownSecondAPIs: PyCFunctionFast = { _, values, count in
  function("known_second_apis", values, count, of: 0) { _ throws(Failure) in try list(ArrowCache.knownSecondAPIs) }
}

let engineVersion: PyCFunctionFast = { _, values, count in
  function("engine_version", values, count, of: 0) { _ throws(Failure) in try object(.text(ArrowCache.version)) }
}
