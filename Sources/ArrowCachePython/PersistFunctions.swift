import ArrowCache
import CPython

let persist: PyCFunctionFast = { _, values, count in
  function("persist", values, count, of: 4) { arguments throws(Failure) in
    let (cache, key) = (try arguments.cache(), try arguments.text("key"))
    let folder = try arguments.text("storage_dir")
    let parquet = try arguments.optional().map { PartCoder($0) }
    let watch = SignalWatch()
    return try PartCoder.raising(parquet) { () throws(Failure) in
      boolean(
        try watch.run { () throws(CacheError) in
          try cache.persist(key, in: folder, encoder: parquet.map { (.parquet, $0.encode) }, isCancelled: watch.isCancelled)
        })
    }
  }
}

let load: PyCFunctionFast = { _, values, count in
  function("load", values, count, of: 5) { arguments throws(Failure) in
    let (cache, key) = (try arguments.cache(), try arguments.text("key"))
    let (folder, isVerified) = (try arguments.text("storage_dir"), try arguments.bool("verify"))
    let parquet = try arguments.optional().map { PartCoder($0) }
    let watch = SignalWatch()
    return try PartCoder.raising(parquet) { () throws(Failure) in
      boolean(
        try watch.run { () throws(CacheError) in
          try cache.load(key, from: folder, isVerified: isVerified, decoder: parquet?.decode, isCancelled: watch.isCancelled)
        })
    }
  }
}

let flush: PyCFunctionFast = { _, values, count in
  function("flush", values, count, of: 1) { arguments throws(Failure) in
    let cache = try arguments.cache()
    let watch = SignalWatch()
    try watch.run { () throws(CacheError) in try cache.flush(isCancelled: watch.isCancelled) }
    return none()
  }
}

let checkStorageFolder: PyCFunctionFast = { _, values, count in
  function("check_storage", values, count, of: 2) { arguments throws(Failure) in
    let (folder, repairs) = (try arguments.text("storage_dir"), try arguments.bool("repair"))
    let findings = try engine { () throws(CacheError) in try checkStorage(folder, repairs: repairs, threadCount: 2) }
    return try list(
      findings.map { finding in
        .mapping([
          ("path", .text(finding.path)), ("key", PythonValue(finding.key)), ("num_rows", .integer(finding.rowCount)),
          ("size_bytes", .integer(finding.byteCount)), ("problems", .sequence(finding.problems.map(PythonValue.text))),
          ("repaired", .bool(finding.isRepaired)),
        ])
      })
  }
}
