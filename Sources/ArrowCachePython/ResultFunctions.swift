import ArrowCache
import CPython

// kept_result … set_result_memo: results that a cache has kept.

let keptResult: PyCFunctionFast = { _, values, count in
  function("kept_result", values, count, of: 3) { arguments throws(Failure) in
    let (cache, sql) = (try arguments.cache(), try arguments.text("sql"))
    let parameters = try queryParameters(arguments.optional())
    let result = try briefly { () throws(CacheError) in try cache.keptResult(sql, parameters: parameters) }
    return try result.map { result throws(Failure) in try capsule(of: result) } ?? none()
  }
}

let resultStream: PyCFunctionFast = { _, values, count in
  function("result_stream", values, count, of: 1) { arguments throws(Failure) in
    let result = try arguments.result()
    return try streamCapsule { stream throws(Failure) in result.export(into: stream) }
  }
}

let resultMemo: PyCFunctionFast = { _, values, count in
  function("result_memo", values, count, of: 2) { arguments throws(Failure) in
    let (result, name) = (try arguments.result(), try arguments.text("name"))
    guard let memo = result.memo(name) as? MemoObject else { return none() }
    return withExtendedLifetime(memo) { retained(memo.object) }
  }
}

let setResultMemo: PyCFunctionFast = { _, values, count in
  function("set_result_memo", values, count, of: 4) { arguments throws(Failure) in
    let (result, name) = (try arguments.result(), try arguments.text("name"))
    let memo = MemoObject(try arguments.next())
    let byteCount = try arguments.integer("byte_count")
    guard (0...(1 << 50)).contains(byteCount) else { throw .argument("byte_count is \(byteCount): it must be within 0...2^50") }
    unlocked { result.setMemo(name, memo, byteCount: byteCount) }
    return none()
  }
}
