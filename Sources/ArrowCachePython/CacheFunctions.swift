import ArrowCache
import CPython

// open_cache … update_ttl: what a cache holds.

let openCache: PyCFunctionFast = { _, values, count in
  function("open_cache", values, count, of: 2) { arguments throws(Failure) in
    var options = try cacheOptions(arguments.next())
    options.duckdbLibraryPath = try arguments.text("library")
    return try capsule(of: engine { () throws(CacheError) in try ArrowCache(options: options) })
  }
}

let closeCache: PyCFunctionFast = { _, values, count in
  function("close_cache", values, count, of: 1) { arguments throws(Failure) in
    let cache = try arguments.cache()
    unlocked { cache.close() }
    return none()
  }
}

let abandonCache: PyCFunctionFast = { _, values, count in
  function("abandon_cache", values, count, of: 1) { arguments throws(Failure) in
    let cache = try arguments.cache()
    unlocked { cache.abandon() }
    return none()
  }
}

let put: PyCFunctionFast = { _, values, count in
  function("put", values, count, of: 11) { arguments throws(Failure) in
    let cache = try arguments.cache()
    let key = try arguments.text("key")
    let source = try arguments.streamSource("stream")
    var options = PutOptions()
    options.kind = try arguments.text("kind")
    options.metadata = try arguments.text("metadata")
    options.ttl = try arguments.seconds("ttl")
    options.overwrite = try arguments.bool("overwrite")
    options.autoPartition = try arguments.optional().map { value throws(Failure) in try bool(value, "auto_partition") }
    options.copy = try columnCopy(arguments.next())
    options.buildSeconds = try arguments.seconds("build_seconds")
    options.expectedBytes = try arguments.optional().map { value throws(Failure) in try integer(value, "expected_bytes") }
    // Moved out last: an argument that is wrong leaves the stream to the caller.
    var stream = try moved(source, "stream")
    let watch = SignalWatch()
    let entry = try watch.run { () throws(CacheError) in
      try cache.put(key, stream: &stream, options: options, checkpoint: watch.checkpoint, isCancelled: watch.isCancelled)
    }
    return try capsule(of: entry)
  }
}

private func columnCopy(_ object: Object) throws(Failure) -> ColumnCopy {
  if isBool(object) { return try bool(object, "copy") ? .all : .none }
  return .columns(Set(try integers(object, "copy")))
}

/// A cache that reads another's storage looks at files, and may wait for a thread that does: not with the interpreter's lock.
private func looking<Result>(in cache: ArrowCache, _ body: () throws(CacheError) -> Result) throws(Failure) -> Result {
  cache.isReadOnly ? try engine(body) : try briefly(body)
}

let lookup: PyCFunctionFast = { _, values, count in
  function("lookup", values, count, of: 2) { arguments throws(Failure) in
    let (cache, key) = (try arguments.cache(), try arguments.text("key"))
    let entry = try looking(in: cache) { () throws(CacheError) in try cache.lookup(key) }
    return try entry.map { entry throws(Failure) in try capsule(of: entry) } ?? none()
  }
}

let peek: PyCFunctionFast = { _, values, count in
  function("peek", values, count, of: 2) { arguments throws(Failure) in
    let (cache, key) = (try arguments.cache(), try arguments.text("key"))
    let entry = try looking(in: cache) { () throws(CacheError) in try cache.peek(key) }
    return try entry.map { entry throws(Failure) in try capsule(of: entry) } ?? none()
  }
}

let contains: PyCFunctionFast = { _, values, count in
  function("contains", values, count, of: 2) { arguments throws(Failure) in
    let (cache, key) = (try arguments.cache(), try arguments.text("key"))
    return boolean(try looking(in: cache) { () throws(CacheError) in try cache.contains(key) })
  }
}

let keys: PyCFunctionFast = { _, values, count in
  function("keys", values, count, of: 1) { arguments throws(Failure) in
    let cache = try arguments.cache()
    return try list(engine { () throws(CacheError) in try cache.keys() })
  }
}

let remove: PyCFunctionFast = { _, values, count in
  function("remove", values, count, of: 2) { arguments throws(Failure) in
    let (cache, key) = (try arguments.cache(), try arguments.text("key"))
    let watch = SignalWatch()
    return boolean(try watch.run { () throws(CacheError) in try cache.remove(key, isCancelled: watch.isCancelled) })
  }
}

let clear: PyCFunctionFast = { _, values, count in
  function("clear", values, count, of: 1) { arguments throws(Failure) in
    let cache = try arguments.cache()
    let watch = SignalWatch()
    return try object(.integer(watch.run { () throws(CacheError) in try cache.clear(isCancelled: watch.isCancelled) }))
  }
}

let updateTTL: PyCFunctionFast = { _, values, count in
  function("update_ttl", values, count, of: 3) { arguments throws(Failure) in
    let (cache, key) = (try arguments.cache(), try arguments.text("key"))
    let ttl = try arguments.seconds("ttl")
    let watch = SignalWatch()
    return boolean(try watch.run { () throws(CacheError) in try cache.updateTTL(key, ttl: ttl, isCancelled: watch.isCancelled) })
  }
}

let pin: PyCFunctionFast = { _, values, count in
  function("pin", values, count, of: 2) { arguments throws(Failure) in
    let (cache, key) = (try arguments.cache(), try arguments.text("key"))
    return boolean(try briefly { () throws(CacheError) in try cache.pin(key) })
  }
}

let unpin: PyCFunctionFast = { _, values, count in
  function("unpin", values, count, of: 2) { arguments throws(Failure) in
    let (cache, key) = (try arguments.cache(), try arguments.text("key"))
    try engine { () throws(CacheError) in try cache.unpin(key) }
    return none()
  }
}
