// What users of the library meet in signatures, so that `import ArrowCache` is all they need.

@_exported import struct CArrow.ArrowArray
@_exported import struct CArrow.ArrowArrayStream
@_exported import struct CArrow.ArrowSchema
@_exported import enum ArrowData.IPCCompression
@_exported import enum CacheStore.Durability
@_exported import enum CacheStore.DictionaryEncoding
@_exported import class CacheStore.Entry
@_exported import class CacheStore.Segment
@_exported import func CacheStore.checkStorage
@_exported import struct CacheStore.StorageFinding
@_exported import struct CacheStore.StoreEvent
@_exported import struct CacheStore.StoreOptions
@_exported import struct CacheStore.StoreStatus
@_exported import struct CacheStore.TierCounters
@_exported import enum CacheStore.Tier
@_exported import struct Primitives.CacheError
@_exported import class QueryEngine.Cancellation
@_exported import class QueryEngine.KeptResult
@_exported import enum QueryEngine.QueryParameters
@_exported import enum QueryEngine.QueryValue
@_exported import class QueryEngine.ScanCounters
@_exported import struct QueryEngine.ResultCounters
@_exported import enum QueryEngine.ThreadIdentity
