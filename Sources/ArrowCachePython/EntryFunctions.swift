import ArrowCache
import CPython

// describe … set_memo: one version of one entry.

let describe: PyCFunctionFast = { _, values, count in
  function("describe", values, count, of: 1) { arguments throws(Failure) in
    let entry = try arguments.entry()
    let access = entry.access
    return try dictionary([
      ("key", .text(entry.key)),
      ("version", .integer(Int(clamping: entry.version))),
      ("kind", .text(entry.kind)),
      ("metadata", .text(entry.userMetadata)),
      ("row_count", .integer(entry.rowCount)),
      ("column_count", .integer(entry.schema.fields.count)),
      ("size_bytes", .integer(entry.sizeBytes)),
      ("encoded_columns", .sequence(entry.encodedColumns.map { .integer($0) })),
      ("partition_count", .integer(entry.partitions.count)),
      ("batch_count", .integer(entry.segments.count)),
      ("created_at", .double(entry.createdAt)),
      ("last_accessed_at", .double(access.lastAccessedAt)),
      ("access_count", .integer(access.accessCount)),
      ("expires_at", PythonValue(access.expiresAt)),
    ])
  }
}

let schema: PyCFunctionFast = { _, values, count in
  function("schema", values, count, of: 1) { arguments throws(Failure) in
    let entry = try arguments.entry()
    return try schemaCapsule { entry.schema.export(to: $0) }
  }
}

let scan: PyCFunctionFast = { _, values, count in
  function("scan", values, count, of: 4) { arguments throws(Failure) in
    let entry = try arguments.entry()
    let offset = try arguments.integer("offset")
    let limit = try arguments.optional().map { value throws(Failure) in try integer(value, "limit") }
    let columns = try arguments.optional().map { value throws(Failure) in try integers(value, "columns") }
    return try streamCapsule { stream throws(Failure) in
      try briefly { () throws(CacheError) in try entry.export(offset: offset, limit: limit, columns: columns, into: stream) }
    }
  }
}

let boundingBox: PyCFunctionFast = { _, values, count in
  function("bounding_box", values, count, of: 2) { arguments throws(Failure) in
    let (entry, column) = (try arguments.entry(), try arguments.integer("column"))
    guard let box = unlocked({ entry.boundingBox(column: column) }) else { return none() }
    return try dictionary([
      ("minx", .double(box.minX)), ("miny", .double(box.minY)), ("maxx", .double(box.maxX)), ("maxy", .double(box.maxY)),
    ])
  }
}

/// A Python object that is kept beside an entry or a result.
final class MemoObject {
  let object: Object

  init(_ object: Object) { self.object = retained(object) }

  deinit {
    // Once the interpreter has ended there is nobody left to give it back to.
    guard Py_IsInitialized() != 0 else { return }
    let state = PyGILState_Ensure()
    Py_DecRef(object)
    PyGILState_Release(state)
  }
}

let memo: PyCFunctionFast = { _, values, count in
  function("memo", values, count, of: 2) { arguments throws(Failure) in
    let (entry, name) = (try arguments.entry(), try arguments.text("name"))
    guard let memo = entry.memo(name) as? MemoObject else { return none() }
    return withExtendedLifetime(memo) { retained(memo.object) }
  }
}

let setMemo: PyCFunctionFast = { _, values, count in
  function("set_memo", values, count, of: 4) { arguments throws(Failure) in
    let (entry, name) = (try arguments.entry(), try arguments.text("name"))
    let memo = try arguments.optional().map { MemoObject($0) }
    let byteCount = try arguments.optional().map { count throws(Failure) in try integer(count, "byte_count") }
    guard (0...(1 << 50)).contains(byteCount ?? 0) else { throw .argument("byte_count is \(byteCount ?? 0): it must be within 0...2^50") }
    _ = unlocked { entry.setMemo(name, memo, byteCount: byteCount ?? 0, holdsRows: byteCount != nil) }
    return none()
  }
}
