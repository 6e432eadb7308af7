import ArrowData
import CArrow
import CDuckDB

/// A dictionary of texts as a DuckDB vector, for one thread: a chunk's rows become a selection of it. DuckDB groups by such a vector
/// without a hash for each row.
///
/// The second API has no call that makes a dictionary vector. The stable one has, and takes vectors of the second as its own: that is
/// tried before it is relied on (`isAvailable`), and nowhere else are handles of the two mixed.
final class V2DictionaryVector {
  /// DuckDB groups by a dictionary without a hash for each row where the rows of a vector are more than twice the dictionary's values,
  /// null among them; the C API cannot name a dictionary, which would lift that to 20 000. Of larger ones rows are written flat.
  static let maximumValues = ScanWorker.vectorSize / 2 - 2

  private var vector: OpaquePointer?
  private let identity: DictionaryIdentity
  /// What keeps the dictionary where it is.
  private let batch: RecordBatch
  /// Values and one more, which is null.
  private let count: Int

  /// The texts stay the batch's, which must outlive what is filled, unless it is transient. nil where rows are better written flat.
  init?(_ batch: RecordBatch, column: Int, offsetBytes: Int, isTransient: Bool) throws(V2Failure) {
    let array = batch.column(column).pointee
    guard V2DictionaryVector.isAvailable, let dictionary = array.dictionary, let identity = DictionaryIdentity(dictionary.pointee),
      dictionary.pointee.length <= Int64(min(Self.maximumValues, batch.rowCount))
    else { return nil }
    let format = batch.schema.fields[column].dictionary?.format
    let type = format == "u" || format == "U" ? V1TypeID.varchar : V1TypeID.blob
    (self.batch, self.identity) = (batch.selecting([column]), identity)
    count = Int(dictionary.pointee.length) + 1
    vector = V1Type(id: type).lend { v1.pointee.create_vector($0, UInt64(ScanWorker.vectorSize)) }
    guard vector != nil, let target = v1.pointee.vector_get_data(vector) else { return nil }
    let values = VectorFill(UnsafePointer(dictionary), row: 0, count: count - 1)
    try values.fillText(offsetBytes: offsetBytes, to: target, heap: isTransient ? V2Fill.heap(of: vector) : nil)
    (target + (count - 1) * 16).initializeMemory(as: UInt8.self, repeating: 0, count: 16)
    v1.pointee.vector_ensure_validity_writable(vector)
    guard let words = v1.pointee.vector_get_validity(vector) else { return nil }
    if let validity = values.validity { values.copyValidity(validity, to: words) }
    words[(count - 1) >> 6] &= ~(1 << UInt64((count - 1) & 63))
    guard v2.pointee.vector_set_size(vector, UInt64(count), nil) == 0 else { return nil }
  }

  deinit { v1.pointee.destroy_vector(&vector) }

  func isOf(_ array: ArrowArray) -> Bool { array.dictionary.map { identity.isOf($0.pointee) } ?? false }

  /// Makes `target` the rows of the column.
  func fill(_ target: OpaquePointer?, _ rows: VectorFill, indexBytes: Int) throws(V2Failure) {
    let selection = v1.pointee.create_selection_vector(UInt64(ScanWorker.vectorSize))
    guard let places = v1.pointee.selection_vector_get_data_ptr(selection) else {
      throw V2Failure(code: V2Failure.inputInvalid, message: "DuckDB gave no memory for a selection")
    }
    defer { v1.pointee.destroy_selection_vector(selection) }
    rows.fillPlaces(indexBytes: indexBytes, valueCount: count - 1, to: places)
    try v2Call { v2.pointee.vector_reference(target, vector, $0) }
    v1.pointee.slice_vector(target, selection, UInt64(rows.count))
  }

  /// Whether the stable API's vectors are the second's too: tried once, with a vector of three texts.
  static let isAvailable: Bool = {
    guard V2Edition(rawValue: text(v1.pointee.library_version())) != nil else { return false }
    var vector = V1Type(id: V1TypeID.varchar).lend { v1.pointee.create_vector($0, 16) }
    defer { v1.pointee.destroy_vector(&vector) }
    guard vector != nil, v2.pointee.vector_set_size(vector, 3, nil) == 0, size(vector) == 3, kind(vector) == flat,
      let data = v1.pointee.vector_get_data(vector)
    else { return false }
    var mutable: UnsafeMutableRawPointer?
    guard v2.pointee.vector_get_data_mutable(vector, &mutable, nil) == 0, mutable == data else { return false }
    data.initializeMemory(as: UInt8.self, repeating: 0, count: 48)
    let selection = v1.pointee.create_selection_vector(5)
    defer { v1.pointee.destroy_selection_vector(selection) }
    guard let places = v1.pointee.selection_vector_get_data_ptr(selection) else { return false }
    for (row, place) in [2, 0, 1, 1, 2].enumerated() { places[row] = UInt32(place) }
    v1.pointee.slice_vector(vector, selection, 5)
    return size(vector) == 5 && kind(vector) == dictionary
  }()

  private static let flat: Int32 = 1, dictionary: Int32 = 3

  private static func size(_ vector: OpaquePointer?) -> UInt64 {
    var size: UInt64 = 0
    return v2.pointee.vector_get_size(vector, &size, nil) == 0 ? size : .max
  }

  private static func kind(_ vector: OpaquePointer?) -> Int32 {
    var kind: Int32 = -1
    return v2.pointee.vector_get_vector_type(vector, &kind, nil) == 0 ? kind : -1
  }
}

extension ScanWorker {
  /// The vector of the dictionary of a column; nil where rows are better written flat.
  func dictionaryVector(
    of column: Int, in batch: RecordBatch, offsetBytes: Int, isTransient: Bool
  ) throws(V2Failure) -> V2DictionaryVector? {
    if let known = converters[column] as? V2DictionaryVector, known.isOf(batch.column(column).pointee) { return known }
    let made = try V2DictionaryVector(batch, column: column, offsetBytes: offsetBytes, isTransient: isTransient)
    converters[column] = made
    return made
  }
}
