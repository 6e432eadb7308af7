/// What keeps the memory of one column. Each reader of the column holds a reference, and by them readers are counted: columns
/// in memory of several have an owner each.
class ColumnOwner {
  /// Whether anyone else holds what this owner itself holds for the column alone.
  var isShared: Bool { false }
}

/// A column's hold on memory that other columns lie in too.
final class ColumnInShared: ColumnOwner {
  private let memory: AnyObject

  init(_ memory: AnyObject) { self.memory = memory }
}
