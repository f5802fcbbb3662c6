import Base

/// What Dify has stored of a person's conversations and of an app's runs, as its look-ups answer. Moments are in whole
/// seconds since 1970.
enum DifyRecord {
    struct Page<Item: Decodable>: Decodable {
        var data: [Item]
    }

    struct Conversation: Decodable {
        var id: String
        var createdAt: Int64?

        private enum CodingKeys: String, CodingKey {
            case id
            case createdAt = "created_at"
        }
    }

    struct Message: Decodable {
        var id: String
        var query: String?
        var answer: String?
        var status: String?
        var error: String?
        var createdAt: Int64?
        private var allFiles: DifyEvent.Lax<[DifyEvent.File]>?

        private enum CodingKeys: String, CodingKey {
            case id, query, answer, status, error
            case createdAt = "created_at"
            case allFiles = "message_files"
        }

        /// A message is stored when it is asked and gets its answer when that is whole.
        var hasAnswer: Bool { answer?.isEmpty == false || !files.isEmpty }

        var files: [DifyEvent.File] { (allFiles?.value ?? []).filter { $0.owner == "assistant" } }
    }

    struct Run: Decodable {
        var status: String?
        var outputs: JSON?
        var error: String?
    }
}

extension DifyConnection {
    /// `nil`: there is no such run, or not yet; or a Dify so old that it does not tell a chatflow's.
    func run(_ id: String) async throws -> DifyRecord.Run? {
        do {
            return try await read("/workflows/run/\(Form.percentEncode(id))")?.value
        } catch let refusal as DifyRefusal where refusal.code == "not_workflow_app" {
            return nil
        }
    }

    /// The newest messages of a conversation, oldest first, and the time of day at Dify; `nil`: no such conversation.
    ///
    /// The documentation promises the newest first, servers answer either way.
    func messages(in conversation: String, user: String) async throws -> ([DifyRecord.Message], Timestamp)? {
        let query = [("conversation_id", conversation), ("user", user), ("limit", "20")]
        guard let page = try await read("/messages", query, as: DifyRecord.Page<DifyRecord.Message>.self) else {
            return nil
        }
        let messages = page.value.data
        let isOldestFirst = (messages.first?.createdAt ?? 0) < (messages.last?.createdAt ?? 0)
        return (isOldestFirst ? messages : messages.reversed(), page.serverTime)
    }

    /// A person's conversations, most recently used first, and the time of day at Dify.
    func conversations(of user: String) async throws -> ([DifyRecord.Conversation], Timestamp) {
        let page = try await read(
            "/conversations", [("user", user), ("limit", "20")], as: DifyRecord.Page<DifyRecord.Conversation>.self)
        return (page?.value.data ?? [], page?.serverTime ?? clock.now)
    }
}
