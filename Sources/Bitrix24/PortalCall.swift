import Base

/// One REST call.
public struct PortalCall: Sendable, Equatable {
    /// `imbot.v2.Chat.Message.send`, without `.json`.
    public var method: String
    /// An object.
    public var parameters: JSON
    /// Calls of one lane (a dialog) never overtake each other; `nil`: no such bond.
    public var lane: String?
    /// The bot that calls, where the parameters do not name it: an installation by webhook has a token for each.
    public var bot: Int64?
    public init(_ method: String, _ parameters: JSON = [:], lane: String? = nil, bot: Int64? = nil) {
        self.method = method
        self.parameters = parameters
        self.lane = lane
        self.bot = bot
    }
}

extension PortalCall {
    /// As a command of `batch`: the method and its parameters as PHP's query. `nil` for a call that would mean something
    /// else that way: a query has no `null`, no empty list and no true or false, and `batch` replaces `$result[…]`; nor for
    /// one that moves a file.
    ///
    /// Documentation: `settings/how-to-call-rest-api/batch.md`.
    var batchCommand: String? {
        guard method != "batch", !method.hasPrefix("imbot.v2.File."), parameters.keepsItsMeaningInQuery else {
            return nil
        }
        let query = Form.encode(parameters)
        return query.isEmpty ? method : "\(method)?\(query)"
    }
}

extension JSON {
    fileprivate var keepsItsMeaningInQuery: Bool {
        guard case .object(let members) = self else { return false }
        return members.values.allSatisfy(\.isKeptByQuery)
    }

    private var isKeptByQuery: Bool {
        switch self {
        case .null, .bool: false
        case .integer, .number: true
        case .string(let text): !mentionsResult(text)
        case .array(let elements): !elements.isEmpty && elements.allSatisfy(\.isKeptByQuery)
        case .object(let members): !members.isEmpty && members.values.allSatisfy(\.isKeptByQuery)
        }
    }
}

private func mentionsResult(_ text: String) -> Bool {
    text.utf8.contains(UInt8(ascii: "$")) && text.lowercased().contains("$result")
}
