import Base
import Storage

/// A store that cannot be read or written now is no fault of the sender: 503.
func needingStore<T>(_ log: Log, _ body: () async throws -> T) async throws -> T {
    do {
        return try await body()
    } catch let error as StoreError {
        log.error("the store cannot be used", ["error": "\(error)"])
        throw HTTPError(503, "The store cannot be used now")
    }
}
