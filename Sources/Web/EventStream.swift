import Base

/// An answer of server-sent events.
enum EventStream {
    /// Tells the client of an event; throws when the client has gone.
    typealias Send = @Sendable (_ event: String, _ data: JSON) async throws -> Void

    /// Between two comments that keep a quiet stream open.
    private static let keepAlive = Duration.seconds(20)

    /// - Parameter produce: sends the events. It is cancelled when the client goes; its end ends the stream.
    static func response(_ produce: @escaping @Sendable (_ send: @escaping Send) async throws -> Void) -> HTTPResponse {
        HTTPResponse(
            status: 200,
            // The last is for nginx, which otherwise collects what it passes on.
            headers: [
                "Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no",
            ],
            body: .stream { write in
                // At once, so that the client sees that it is connected.
                try await write(Array(": \n\n".utf8))
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask {
                        try await produce { event, data in
                            try await write(Array("event: \(event)\ndata: ".utf8) + data.bytes + Array("\n\n".utf8))
                        }
                    }
                    group.addTask {
                        while true {
                            try await Task.sleep(for: keepAlive)
                            try await write(Array(": \n\n".utf8))
                        }
                    }
                    defer { group.cancelAll() }
                    try await group.next()
                }
            })
    }
}
