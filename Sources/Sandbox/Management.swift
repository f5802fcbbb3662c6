import Base

/// BitBot's management API, as any script would use it.
struct Management: Sendable {
    /// BitBot's public URL.
    let url: String
    let token: Secret
    let http: HTTPClient

    /// - Throws: ``SandboxError``.
    @discardableResult
    func send(_ method: HTTPMethod, _ path: String, _ body: JSON? = nil) async throws -> JSON {
        let call = "\(method.rawValue) \(path)"
        let answer = try await answer(method, path, body)
        guard (200..<300).contains(answer.status) else {
            let message = (try? JSON(parsing: answer.body))?["error"]?["message"]?.string
            throw SandboxError.refused(call: call, status: answer.status, message: message ?? "no reason given")
        }
        if answer.body.isEmpty { return .null }
        guard let json = try? JSON(parsing: answer.body) else {
            throw SandboxError.unexpected(call: call, missing: "JSON")
        }
        return json
    }

    func create(_ collection: String, _ body: JSON) async throws -> JSON {
        try await send(.post, "/api/v1/\(collection)", body)
    }

    /// All items of a collection, page by page.
    func list(_ collection: String) async throws -> [JSON] {
        var items: [JSON] = []
        var cursor = ""
        repeat {
            let next = cursor.isEmpty ? "" : "&cursor=" + Form.percentEncode(cursor)
            let page = try await send(.get, "/api/v1/\(collection)?limit=100\(next)")
            items += page["items"]?.array ?? []
            cursor = page["next"]?.string ?? ""
        } while !cursor.isEmpty
        return items
    }

    /// Removes an item; one that is gone already is no error.
    func remove(_ collection: String, id: String) async throws {
        let status = try await answer(.delete, "/api/v1/\(collection)/\(Form.percentEncode(id))", nil).status
        if (200..<300).contains(status) || status == 404 { return }
        throw SandboxError.refused(call: "DELETE /api/v1/\(collection)", status: status, message: "not removed")
    }

    /// Whether BitBot is up and its store reachable; the reason if not.
    func readiness() async -> String? {
        let request = HTTPClient.Request(.get, url + "/readyz", trust: .privateAllowed)
        do {
            let status = try await http.send(request).status
            return status == 200 ? nil : "/readyz was answered \(status)"
        } catch {
            return "\(url) cannot be reached"
        }
    }

    private func answer(_ method: HTTPMethod, _ path: String, _ body: JSON?) async throws -> HTTPClient.Answer {
        var headers: HTTPHeaders = ["Authorization": "Bearer \(token.reveal())"]
        if body != nil { headers["Content-Type"] = "application/json" }
        let request = HTTPClient.Request(
            method, url + path, headers: headers, body: body?.bytes ?? [], trust: .privateAllowed)
        do { return try await http.send(request) } catch let error as HTTPClientError {
            throw SandboxError.bitbotAway("\(method.rawValue) \(path) failed: \(error)")
        }
    }
}

extension JSON {
    /// A member that an answer must have.
    /// - Throws: ``SandboxError/unexpected(call:missing:)``.
    func text(_ name: String, of call: String) throws -> String {
        switch self[name] {
        case .string(let text)? where !text.isEmpty: return text
        case .integer(let number)?: return String(number)
        default: throw SandboxError.unexpected(call: call, missing: name)
        }
    }
}
