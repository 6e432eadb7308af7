import ArrowData

/// The smallest and the largest value of a column as SQL writes them, as text, since columns are of all types; of geometries the
/// corners of the box around them.
struct BoundsText {
  let min: String
  /// nil where no short text is above all values.
  let max: String?
  let isExact: Bool

  /// nil where there is none, or none is known.
  init?(_ bounds: ColumnStatistics.Bounds, _ field: Field) {
    switch bounds {
    case .unknown, .noValues: return nil
    case .int(let min, let max): (self.min, self.max, isExact) = (ValueText.of(min, field.format), ValueText.of(max, field.format), true)
    case .uint(let min, let max): (self.min, self.max, isExact) = ("\(min)", "\(max)", true)
    // NaN is above all numbers.
    case .double(let min, let max, let hasNaN):
      func text(_ value: Double) -> String { field.format == "f" ? "\(Float(value))" : "\(value)" }
      (self.min, self.max, isExact) = (min > max ? "nan" : text(min), hasNaN ? "nan" : text(max), true)
    case .bytes(let min, let max, let isExact): (self.min, self.max, self.isExact) = (ValueText.of(min), max.map(ValueText.of), isExact)
    case .box(let box): (self.min, self.max, isExact) = ("\(box.minX) \(box.minY)", "\(box.maxX) \(box.maxY)", true)
    }
  }
}
