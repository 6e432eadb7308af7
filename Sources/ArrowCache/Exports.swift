// What users of the library meet in signatures, so that `import ArrowCache` is all they need.

@_exported import struct CArrow.ArrowArray
@_exported import struct CArrow.ArrowArrayStream
@_exported import struct CArrow.ArrowSchema
@_exported import class CacheStore.Entry
@_exported import struct CacheStore.StoreStatus
@_exported import struct Primitives.CacheError
@_exported import class QueryEngine.Cancellation
@_exported import enum QueryEngine.QueryParameters
@_exported import enum QueryEngine.QueryValue
