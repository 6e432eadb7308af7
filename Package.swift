// swift-tools-version: 6.2
import PackageDescription

/// The Python module: one shared library with the Swift runtime linked in, exporting `PyInit__core` alone.
let moduleLinking: [LinkerSetting] = [
  .unsafeFlags([
    "-static-stdlib", "-Xlinker", "-s",
    "-Xlinker", "--version-script=\(Context.packageDirectory)/Sources/ArrowCachePython/exports.map",
  ])
]

let package = Package(
  name: "ArrowCache",
  products: [
    .library(name: "ArrowCache", targets: ["ArrowCache"]),
    .library(name: "_core", type: .dynamic, targets: ["ArrowCachePython"]),
  ],
  targets: [
    .target(name: "CArrow"),
    .target(name: "CDuckDB", dependencies: ["CArrow"]),
    .target(name: "CPython"),
    .target(name: "Primitives"),
    .target(name: "ArrowData", dependencies: ["CArrow", "Primitives"]),
    .target(name: "CacheStore", dependencies: ["ArrowData", "CArrow", "Primitives"]),
    .target(name: "QueryEngine", dependencies: ["CacheStore", "ArrowData", "CArrow", "CDuckDB", "Primitives"]),
    .target(name: "ArrowCache", dependencies: ["QueryEngine", "CacheStore", "ArrowData", "CArrow", "Primitives"]),
    .target(
      name: "ArrowCachePython", dependencies: ["ArrowCache", "CArrow", "CPython", "Primitives"],
      exclude: ["exports.map"], linkerSettings: moduleLinking),
    .testTarget(name: "PrimitivesTests", dependencies: ["Primitives"]),
    .testTarget(name: "ArrowDataTests", dependencies: ["ArrowData", "CArrow", "Primitives"]),
    .testTarget(name: "CacheStoreTests", dependencies: ["CacheStore", "ArrowData", "CArrow", "Primitives"]),
    .testTarget(name: "QueryEngineTests", dependencies: ["QueryEngine", "CacheStore", "ArrowData", "CArrow", "Primitives"]),
    .testTarget(name: "ArrowCacheTests", dependencies: ["ArrowCache", "CArrow"]),
  ]
)
