import Base
import Synchronization

/// Lets a server be bound, and so its port known, before the object exists that answers.
final class LateHandler: Sendable {
    private let handler = Mutex<HTTPHandler?>(nil)

    func set(_ handler: @escaping HTTPHandler) { self.handler.withLock { $0 = handler } }

    func answer(_ request: HTTPRequest) async throws -> HTTPResponse {
        guard let handler = handler.withLock({ $0 }) else { throw HTTPError(503, "Starting.") }
        return try await handler(request)
    }
}
