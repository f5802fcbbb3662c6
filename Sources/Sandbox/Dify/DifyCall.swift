import Base

/// A request that has shown a good API key.
struct DifyCall: Sendable {
    let dify: SimulatedDify
    let app: SimulatedDify.App
    let request: HTTPRequest

    func query() throws -> Members<String> {
        let decoded: JSON
        do { decoded = try Form.decode(request.query.utf8) } catch {
            throw DifyError.badRequest("Failed to decode the query.")
        }
        return (decoded.object ?? [:]).compactMapValues(\.string)
    }

    /// The body, which must be a JSON object.
    /// - Throws: 415 for another content type, 400 `bad_request` for what is no JSON.
    func body() throws -> Members<JSON> {
        let type = request.headers["Content-Type"] ?? ""
        guard type.lowercased().hasPrefix("application/json") else {
            throw DifyError(
                status: 415, code: "unsupported_media_type",
                message:
                    "Did not attempt to load JSON data because the request Content-Type was not 'application/json'."
            )
        }
        guard let body = try? JSON(parsing: request.body).object else {
            throw DifyError.badRequest("Failed to decode JSON object.")
        }
        return body
    }

    /// The end user that a request names, where one must be named.
    func user(_ value: JSON?) throws -> String {
        guard let user = value?.string, !user.isEmpty else { throw DifyError.invalid("Arg user must be provided.") }
        return user
    }

    /// The end user that a request may name.
    func optionalUser(_ value: String?) -> String {
        guard let value, !value.isEmpty else { return SimulatedDify.defaultUser }
        return value
    }

    func limit(_ query: Members<String>) throws -> Int {
        guard let text = query["limit"] else { return 20 }
        guard let limit = Int(text), (1...100).contains(limit) else {
            throw DifyError.invalid("limit must be between 1 and 100")
        }
        return limit
    }

    func id(_ name: String) throws -> String {
        let id: String = try request.parameter(name)
        guard isUUID(id) else { throw DifyError.notFound("Not found.") }
        return id.lowercased()
    }
}

/// Whether a text is a UUID, in either case of letters.
func isUUID(_ text: String) -> Bool {
    let bytes = Array(text.utf8)
    guard bytes.count == 36 else { return false }
    return bytes.indices.allSatisfy { index in
        switch index {
        case 8, 13, 18, 23: bytes[index] == UInt8(ascii: "-")
        default: isHexadecimal(bytes[index])
        }
    }
}

private func isHexadecimal(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"),
        UInt8(ascii: "A")...UInt8(ascii: "F"):
        true
    default: false
    }
}
