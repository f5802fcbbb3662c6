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
        private var extraContents: DifyEvent.Lax<[JSON]>?

        private enum CodingKeys: String, CodingKey {
            case id, query, answer, status, error
            case createdAt = "created_at"
            case allFiles = "message_files"
            case extraContents = "extra_contents"
        }

        /// The form that waits for its person, if one does.
        var form: DifyForm? {
            (extraContents?.value ?? []).lazy.filter { $0["submitted"]?.bool == false }
                .compactMap { DifyForm($0["form_definition"] ?? [:], run: $0["workflow_run_id"]?.string) }.first
        }

        /// A message is stored when it is asked and gets its answer when that is whole.
        var hasAnswer: Bool { answer?.isEmpty == false || !files.isEmpty }

        var files: [DifyEvent.File] { (allFiles?.value ?? []).filter { $0.owner == "assistant" } }
    }

    struct Run: Sendable {
        var status: String?
        var outputs: DifyOutputs
        var error: String?

        /// - Throws: `DecodingError`.
        init(_ bytes: [UInt8]) throws {
            let json = try JSON(parsing: bytes)
            guard json.object != nil else {
                throw DecodingError.dataCorrupted(.init(codingPath: [], debugDescription: "not an object"))
            }
            status = json["status"]?.string
            outputs = DifyOutputs(json["outputs"], order: JSON.names(at: ["outputs"], in: bytes))
            error = json["error"]?.string
        }
    }

    /// A run of a workflow as the log lists it.
    struct LoggedRun: Decodable {
        struct Run: Decodable { var id: String }
        struct Asker: Decodable {
            var user: String?
            private enum CodingKeys: String, CodingKey { case user = "session_id" }
        }
        var run: Run?
        var asker: Asker?
        var createdAt: Int64?

        private enum CodingKeys: String, CodingKey {
            case run = "workflow_run"
            case asker = "created_by_end_user"
            case createdAt = "created_at"
        }
    }
}

extension DifyConnection {
    /// `nil`: there is no such run, or not yet; or a Dify so old that it does not tell a chatflow's.
    func run(_ id: String) async throws -> DifyRecord.Run? {
        do {
            return try await read("/workflows/run/\(Form.percentEncode(id))", decode: DifyRecord.Run.init)?.value
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

    /// A person's runs of a workflow, newest first, and the time of day at Dify. A run is listed when it begins.
    /// Documentation: the contract's `/workflows/logs`.
    func runs(of user: String) async throws -> ([DifyRecord.LoggedRun], Timestamp) {
        let query = [("created_by_end_user_session_id", user), ("limit", "20")]
        let page = try await read("/workflows/logs", query, as: DifyRecord.Page<DifyRecord.LoggedRun>.self)
        // Older versions do not know the filter.
        let runs = (page?.value.data ?? []).filter { $0.asker?.user == user }
        return (runs.sorted { ($0.createdAt ?? 0) > ($1.createdAt ?? 0) }, page?.serverTime ?? clock.now)
    }

    /// Whether a form still waits for its person; `nil`: there is no such form.
    /// Documentation: the contract's `/form/human_input/{form_token}`.
    func waits(for form: DifyForm) async throws -> Bool? {
        do {
            return try await read("/form/human_input/\(Form.percentEncode(form.token))", as: JSON.self).map { _ in true
            }
        } catch let refusal as DifyRefusal where refusal.status == 412 {
            return false
        }
    }
}
