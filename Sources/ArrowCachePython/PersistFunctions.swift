import ArrowCache
import CPython

let persist: PyCFunctionFast = { _, values, count in
  function("persist", values, count, of: 3) { arguments throws(Failure) in
    let (cache, key) = (try arguments.cache(), try arguments.text("key"))
    let folder = try arguments.text("storage_dir")
    let watch = SignalWatch()
    // Called by the thread that persists, between two writes.
    nonisolated(unsafe) let checkpoint = watch.checkpoint
    let isCancelled: @Sendable () -> Bool = {
      do throws(CacheError) {
        try checkpoint?()
        return false
      } catch {
        return true
      }
    }
    return boolean(try watch.run { () throws(CacheError) in try cache.persist(key, in: folder, isCancelled: isCancelled) })
  }
}

let load: PyCFunctionFast = { _, values, count in
  function("load", values, count, of: 4) { arguments throws(Failure) in
    let (cache, key) = (try arguments.cache(), try arguments.text("key"))
    let (folder, isVerified) = (try arguments.text("storage_dir"), try arguments.bool("verify"))
    return boolean(try engine { () throws(CacheError) in try cache.load(key, from: folder, isVerified: isVerified) })
  }
}
