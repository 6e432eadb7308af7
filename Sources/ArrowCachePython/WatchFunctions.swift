import ArrowCache
import CPython

// How Python watches a query that runs in another call, and stops it.

let watch: PyCFunctionFast = { _, values, count in
  function("watch", values, count, of: 2) { arguments throws(Failure) in
    let seconds = try arguments.seconds("time_limit")
    let tracksProgress = try arguments.bool("tracks_progress")
    if let seconds, !(seconds > 0) { throw .argument("time_limit is \(seconds): it must be above 0") }
    return try capsule(of: Cancellation(timeLimitSeconds: seconds, tracksProgress: tracksProgress))
  }
}

let fraction: PyCFunctionFast = { _, values, count in
  function("fraction", values, count, of: 1) { arguments throws(Failure) in
    let watch = try arguments.watch()
    return try object(.double(unlocked { watch.fraction }))
  }
}

let hasTimedOut: PyCFunctionFast = { _, values, count in
  function("has_timed_out", values, count, of: 1) { arguments throws(Failure) in boolean(try arguments.watch().hasTimedOut) }
}

let cancel: PyCFunctionFast = { _, values, count in
  function("cancel", values, count, of: 2) { arguments throws(Failure) in
    let (cache, watch) = (try arguments.cache(), try arguments.watch())
    try engine { () throws(CacheError) in try cache.stop(watch) }
    return none()
  }
}

let interrupt: PyCFunctionFast = { _, values, count in
  function("interrupt", values, count, of: 1) { arguments throws(Failure) in
    let cache = try arguments.cache()
    return try object(.integer(engine { () throws(CacheError) in try cache.interrupt() }))
  }
}
