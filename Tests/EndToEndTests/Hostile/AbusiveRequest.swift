import Base

/// A request that is well formed as HTTP, or nearly, and means no good.
struct AbusiveRequest: Sendable {
    let name: String
    let status: Int
    /// Whether the connection goes on to serve.
    let kept: Bool
    /// What must be in the answer's body.
    let says: String
    let bytes: @Sendable (Target) -> String

    init(
        _ name: String, _ status: Int, kept: Bool = true, says: String = "",
        _ bytes: @escaping @Sendable (Target) -> String
    ) {
        self.name = name
        self.status = status
        self.kept = kept
        self.says = says
        self.bytes = bytes
    }

    /// What the requests are aimed at, and what only an insider knows.
    struct Target: Sendable {
        /// Paths where events come.
        var app: String
        var bot: String
        var installer: String
        var adminToken: String
        var memberID: String
        var applicationToken: String

        /// `auth` as Bitrix24 sends it.
        var auth: String { "auth[member_id]=\(memberID)&auth[application_token]=\(applicationToken)" }

        func request(_ line: String, _ headers: [String] = [], _ body: String = "") -> String {
            (["\(line) HTTP/1.1", "Host: a"] + headers + (body.isEmpty ? [] : ["Content-Length: \(body.utf8.count)"]))
                .joined(separator: "\r\n") + "\r\n\r\n" + body
        }

        func get(_ path: String, _ headers: String...) -> String { request("GET \(path)", headers) }

        /// A post to the application's address.
        func event(_ body: String, type: String = "application/x-www-form-urlencoded") -> String {
            request("POST \(app)", ["Content-Type: \(type)"], body)
        }

        /// A post to the bot's address.
        func botEvent(_ body: String, type: String = "application/x-www-form-urlencoded") -> String {
            request("POST \(bot)", ["Content-Type: \(type)"], body)
        }

        /// A request of the administrator's.
        func manage(_ line: String, _ body: String = "") -> String {
            request(line, ["Authorization: Bearer \(adminToken)", "Content-Type: application/json"], body)
        }
    }

    static var all: [AbusiveRequest] { forms + jsonEvents + paths + headers + framing + management }
}

extension String {
    func times(_ count: Int) -> String { String(repeating: self, count: count) }
}
