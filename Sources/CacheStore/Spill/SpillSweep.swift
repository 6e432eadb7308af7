import Primitives

/// Removes what killed processes have left in a spill directory: folders of our naming whose lock nobody holds.
///
/// Any number of processes may do so at once, while others make and leave folders. What cannot be removed is left to the next.
func sweepSpillFolders(in parent: String, besides own: String, files: any FileSystem) {
  attempt { () throws(CacheError) in
    for name in try files.list(parent) where name != own && SpillHome.isHome(name) {
      attempt { () throws(CacheError) in try sweep("\(parent)/\(name)", files) }
    }
  }
}

private func sweep(_ path: String, _ files: any FileSystem) throws(CacheError) {
  guard let status = try files.status(path), status.isFolder, !status.isLink else { return }
  guard try files.list(path).contains(SpillHome.lockName) else {
    // Just made, or left by someone who stopped between two steps: it only goes while it is empty.
    try files.removeFolder(path)
    return
  }
  guard case .acquired(let lock) = try files.lock("\(path)/\(SpillHome.lockName)", owner: "being removed\n") else { return }
  SpillHome.clear(path, files)
  lock.release()
}
