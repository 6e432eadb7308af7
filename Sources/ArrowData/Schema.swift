import CArrow
import Primitives

/// The columns of a table, with its metadata. Two columns may have the same name: pandas has such tables.
public final class Schema: Sendable {
  public let fields: [Field]
  public let metadata: KeyValues

  public init(fields: [Field], metadata: KeyValues = []) { (self.fields, self.metadata) = (fields, metadata) }

  /// Moves the schema in: its `release` is called exactly once, also on error.
  ///
  /// Throws `.type` where the schema is not a struct or has a type that is not known, `.stream` where it is malformed.
  public convenience init(importing source: UnsafeMutablePointer<ArrowSchema>) throws(CacheError) {
    guard source.pointee.release != nil else { throw CacheError(.stream, "the schema has been released: produce it anew") }
    defer { source.pointee.release?(source) }
    let table = try Field(source.pointee, depth: 0)
    guard table.layout == .structure, table.dictionary == nil else {
      throw CacheError(.type, "the stream holds values of Arrow format '\(table.format)', not rows of columns: wrap them in a table")
    }
    self.init(fields: table.children, metadata: table.metadata)
  }

  /// Fills `target` with the schema, or with these columns of it; indices beyond the columns are left out.
  public func export(columns: [Int]? = nil, to target: UnsafeMutablePointer<ArrowSchema>) {
    exportSchema(
      to: target, format: "+s", name: "", metadata: metadata, flags: 0, children: selectedFields(columns), dictionary: nil)
  }

  /// The schema of these columns, in this order; indices beyond the columns are left out.
  public func selecting(_ columns: [Int]?) -> Schema {
    columns == nil ? self : Schema(fields: selectedFields(columns), metadata: metadata)
  }

  private func selectedFields(_ columns: [Int]?) -> [Field] {
    guard let columns else { return fields }
    return columns.filter(fields.indices.contains).map { fields[$0] }
  }
}

extension Schema: Equatable {
  public static func == (left: Schema, right: Schema) -> Bool {
    left === right || left.fields == right.fields && left.metadata == right.metadata
  }
}
