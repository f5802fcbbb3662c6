import Base
import Synchronization

/// Lets a server be bound, and so its port known, before the object exists that answers.
final class LateHandler: Sendable {
    /// In a class of its own: a closure that is read out of a `Mutex` grows by a layer at each reading.
    private final class Known: Sendable {
        let handler: HTTPHandler
        init(_ handler: @escaping HTTPHandler) { self.handler = handler }
    }
    private let known = Mutex<Known?>(nil)

    func set(_ handler: @escaping HTTPHandler) {
        let new = Known(handler)
        known.withLock { $0 = new }
    }

    func answer(_ request: HTTPRequest) async throws -> HTTPResponse {
        guard let known = known.withLock({ $0 }) else { throw HTTPError(503, "Starting.") }
        return try await known.handler(request)
    }
}
