/// The key that somebody may have meant who wrote another.
enum NearestKey {
  /// More keys, or longer ones, are not compared.
  private static let mostKeys = 1000
  private static let longest = 64

  /// The nearest of the keys, where it is near: a third of its letters at most differ.
  static func to(_ written: String, among keys: [String]) -> String? {
    let wanted = Array(written.lowercased().unicodeScalars)
    guard wanted.count <= longest else { return nil }
    var best: (key: String, distance: Int)?
    for key in keys.prefix(mostKeys) {
      let letters = Array(key.lowercased().unicodeScalars.prefix(longest + 1))
      guard letters.count <= longest else { continue }
      let distance = distance(wanted, letters)
      if distance <= max(wanted.count, letters.count) / 3, distance < best?.distance ?? .max { best = (key, distance) }
    }
    return best?.key
  }

  /// How many letters have to be put in, taken out or changed (Levenshtein).
  private static func distance(_ left: [Unicode.Scalar], _ right: [Unicode.Scalar]) -> Int {
    var row = Array(0...right.count)
    for (index, letter) in left.enumerated() {
      var diagonal = row[0]
      row[0] = index + 1
      for other in right.indices {
        let above = row[other + 1]
        row[other + 1] = min(diagonal + (letter == right[other] ? 0 : 1), above + 1, row[other] + 1)
        diagonal = above
      }
    }
    return row[right.count]
  }
}
