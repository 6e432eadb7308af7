// swift-tools-version: 6.2
import PackageDescription

/// The Python module: one shared library with the Swift runtime linked in, exporting `PyInit__core` alone.
let moduleLinking: [LinkerSetting] = [
  .unsafeFlags([
    "-static-stdlib", "-use-ld=lld", "-Xlinker", "-s",  // lld: the default linker lists local Swift symbols as dynamic ones
    "-Xlinker", "--version-script=\(Context.packageDirectory)/Sources/ArrowCachePython/exports.map",
  ])
]

/// liblz4 and libzstd as archives, so that the module needs neither on the user's machine.
let compressionLinking: [LinkerSetting] = [.unsafeFlags(["-Xlinker", "-l:liblz4.a", "-Xlinker", "-l:libzstd.a"])]

let package = Package(
  name: "ArrowCache",
  products: [
    .library(name: "ArrowCache", targets: ["ArrowCache"]),
    .library(name: "_core", type: .dynamic, targets: ["ArrowCachePython"]),
  ],
  targets: [
    .target(name: "CArrow"),
    .target(name: "CCompression", linkerSettings: compressionLinking),
    .target(name: "CDuckDB", dependencies: ["CArrow"]),
    .target(name: "CPython"),
    .target(name: "Primitives"),
    .target(name: "ArrowData", dependencies: ["CArrow", "CCompression", "Primitives"]),
    .target(name: "CacheStore", dependencies: ["ArrowData", "CArrow", "Primitives"]),
    .target(name: "QueryEngine", dependencies: ["CacheStore", "ArrowData", "CArrow", "CDuckDB", "Primitives"]),
    .target(name: "ArrowCache", dependencies: ["QueryEngine", "CacheStore", "ArrowData", "CArrow", "Primitives"]),
    .target(
      name: "ArrowCachePython", dependencies: ["ArrowCache", "CArrow", "CPython", "Primitives"],
      exclude: ["exports.map"], linkerSettings: moduleLinking),
    .executableTarget(name: "ipc-tool", dependencies: ["ArrowData", "CArrow", "CacheStore", "Primitives"], path: "Tests/ipc-tool"),
    .target(name: "PolicyReplay", dependencies: ["CacheStore", "Primitives"], path: "Tests/PolicyReplay"),
    .executableTarget(name: "policy-replay", dependencies: ["PolicyReplay", "CacheStore", "Primitives"], path: "Tests/policy-replay"),
    .executableTarget(name: "store-scale", dependencies: ["CacheStore", "ArrowData", "CArrow", "Primitives"], path: "Tests/store-scale"),
    .testTarget(name: "PrimitivesTests", dependencies: ["Primitives"]),
    .testTarget(name: "ArrowDataTests", dependencies: ["ArrowData", "CArrow", "Primitives"]),
    .testTarget(name: "ArrowIPCTests", dependencies: ["ArrowData", "CArrow", "Primitives"]),
    .testTarget(name: "CacheStoreTests", dependencies: ["CacheStore", "PolicyReplay", "ArrowData", "CArrow", "Primitives"]),
    .testTarget(name: "QueryEngineTests", dependencies: ["QueryEngine", "CacheStore", "ArrowData", "CArrow", "Primitives"]),
    .testTarget(name: "ArrowCacheTests", dependencies: ["ArrowCache", "CArrow"]),
  ]
)
