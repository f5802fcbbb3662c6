import Base

/// BitBot's management API.
struct Management: Sendable {
    let url: String
    let token: Secret
    let http: HTTPClient

    func create(_ collection: String, _ body: JSON) async throws -> JSON {
        let answer = try await send(.post, collection, body.bytes)
        guard answer.status == 201 else {
            throw LoadError(message: "\(collection): \(String(decoding: answer.body, as: UTF8.self))")
        }
        return try JSON(parsing: answer.body)
    }

    /// The newest of a collection.
    func newest(_ collection: String) async throws -> JSON {
        let answer = try JSON(parsing: try await send(.get, collection + "?limit=1", []).body)
        guard let first = answer["items"]?.array?.first else { throw LoadError(message: "no \(collection)") }
        return first
    }

    func waitUntilReady() async throws {
        for _ in 0..<200 {
            if let answer = try? await http.send(.init(.get, url + "/readyz", trust: .privateAllowed)),
                answer.status == 200
            {
                return
            }
            try await Task.sleep(for: .milliseconds(50))
        }
        throw LoadError(message: "BitBot does not become ready")
    }

    private func send(_ method: HTTPMethod, _ path: String, _ body: [UInt8]) async throws -> HTTPClient.Answer {
        try await http.send(
            HTTPClient.Request(
                method, "\(url)/api/v1/\(path)",
                headers: ["Authorization": "Bearer \(token.reveal())", "Content-Type": "application/json"], body: body,
                trust: .privateAllowed))
    }
}

/// Why nothing could be measured.
struct LoadError: Error { var message: String }
