import Base

/// The events of a stream that are read, and their shapes. All fields may be missing or `null`; unknown ones are skipped.
/// Documentation: `en/api-reference/guides/streaming.mdx`, the contract's `/chat-messages`.
enum DifyEvent {
    enum Name: String, CaseIterable {
        case message
        case agentMessage = "agent_message"
        case messageReplace = "message_replace"
        case messageFile = "message_file"
        case messageEnd = "message_end"
        case workflowStarted = "workflow_started"
        case workflowFinished = "workflow_finished"
        case workflowPaused = "workflow_paused"
        case humanInputRequired = "human_input_required"
        case textChunk = "text_chunk"
        case error

        /// The name of an event, found without reading the rest, which can be large.
        init?(peekingAt data: [UInt8]) {
            let name = DifyEvent.quickName(data) ?? (try? JSON(parsing: data, only: ["event"]))?["event"]?.string
            guard let known = name.flatMap({ Self.byName[$0] }) else { return nil }
            self = known
        }

        private static let byName = Members(allCases.map { ($0.rawValue, $0) })

        var isPiece: Bool { self == .message || self == .agentMessage || self == .messageReplace }
    }

    private static let opening = Array(#"{"event""#.utf8)

    /// Dify writes `event` first.
    private static func quickName(_ data: [UInt8]) -> String? {
        guard data.starts(with: opening) else { return nil }
        let value = data[opening.count...].drop { $0 == UInt8(ascii: ":") || $0 == UInt8(ascii: " ") }
        guard value.first == UInt8(ascii: "\"") else { return nil }
        return String(decoding: value.dropFirst().prefix { $0 != UInt8(ascii: "\"") }, as: UTF8.self)
    }

    /// What is read of an event; others can be large: whole inputs and outputs of nodes.
    static func members(of name: Name?) -> Names { name == nil || name == .workflowStarted ? ids : all }

    /// What is read of a piece once the ids are known: of these events an answer has hundreds.
    static let text: Names = ["answer"]

    private static let ids: Names = ["conversation_id", "message_id", "task_id", "workflow_run_id"]
    private static let all =
        ids + [
            "answer", "files", "data", "belongs_to", "url", "remote_url", "filename", "code", "message", "status",
        ]

    /// What nearly all events carry.
    struct IDs {
        var conversation: String?
        var message: String?
        var task: String?
        var run: String?

        init(_ event: JSON) {
            conversation = event["conversation_id"]?.string
            message = event["message_id"]?.string
            task = event["task_id"]?.string
            run = event["workflow_run_id"]?.string
        }
    }

    /// Something that is `nil` where it has another shape than expected: it must not cost the answer.
    struct Lax<Value: Decodable>: Decodable {
        var value: Value?

        init(from decoder: any Decoder) throws { value = try? Value(from: decoder) }
    }

    struct File: Decodable {
        var owner: String?
        var url: String?
        var remoteURL: String?
        var filename: String?

        init(_ file: JSON) {
            owner = file["belongs_to"]?.string
            url = file["url"]?.string
            remoteURL = file["remote_url"]?.string
            filename = file["filename"]?.string
        }

        init(from decoder: any Decoder) throws { self.init(try JSON(from: decoder)) }

        static func list(_ files: JSON?) -> [File] { (files?.array ?? []).filter { $0.object != nil }.map(File.init) }
    }
}

extension JSON {
    /// The text of a member; empty where it is missing or `null`.
    /// - Throws: `DecodingError` where it is something else.
    func text(of name: String) throws -> String {
        switch self[name] {
        case .string(let text): return text
        case nil, .null: return ""
        default: throw DecodingError.dataCorrupted(.init(codingPath: [], debugDescription: "\(name) is no text"))
        }
    }
}
