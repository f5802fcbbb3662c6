import Base

/// What the simulated Dify remembers. Bounded: the oldest conversations and runs are forgotten first.
struct DifyRecords {
    final class Conversation {
        let id: String
        let appID: String
        let user: String
        let inputs: Members<JSON>
        let createdAt: Int64
        var updatedAt: Int64
        var name = "New conversation"
        /// Messages asked in it, also those that were forgotten.
        var turns = 0
        /// The newest ones, oldest first.
        var runs: [DifyRun] = []
        var isCompleted = false

        init(_ run: DifyRun) {
            id = run.conversationID
            appID = run.app.id
            user = run.user
            inputs = run.inputs
            createdAt = run.createdAt
            updatedAt = run.createdAt
        }
    }

    struct File {
        var appID: String
        var user: String
    }

    let bounds: SimulatedDify.Bounds
    var apps: [String: SimulatedDify.App] = [:]
    var counts = SimulatedDify.Counts()
    private(set) var files: [String: File] = [:]
    private var fileOrder = Line()
    private(set) var conversations: [String: Conversation] = [:]
    private var conversationOrder = Line()
    private var runs: [String: DifyRun] = [:]
    private var messages: [String: DifyRun] = [:]
    /// Runs without a conversation.
    private var looseRuns = Line()
    /// Runs under way, by task.
    private(set) var tasks: [String: DifyRun] = [:]
    private var askedOrder = Line()

    init(bounds: SimulatedDify.Bounds) { self.bounds = bounds }

    // MARK: Conversations

    /// - Throws: `not_found` unless it belongs to the app and the user.
    func conversation(_ id: String, app: SimulatedDify.App, user: String) throws -> Conversation {
        guard let found = conversations[id], found.appID == app.id, found.user == user else {
            throw DifyError.noConversation
        }
        return found
    }

    private mutating func addConversation(_ conversation: Conversation) {
        counts.conversationsCreated += 1
        conversations[conversation.id] = conversation
        conversationOrder.append(conversation.id)
        while conversations.count > bounds.conversations, let oldest = conversationOrder.removeFirst() {
            forget(conversation: oldest)
        }
    }

    mutating func forget(conversation id: String) {
        guard let conversation = conversations.removeValue(forKey: id) else { return }
        for run in conversation.runs { forget(run) }
    }

    // MARK: Runs

    /// Records a run that is about to begin.
    /// - Throws: `not_found` when its conversation was deleted meanwhile.
    mutating func add(_ run: DifyRun, isNewConversation: Bool) throws {
        if run.app.mode.hasConversations {
            if isNewConversation { addConversation(Conversation(run)) }
            let conversation = try conversation(run.conversationID, app: run.app, user: run.user)
            conversation.turns += 1
            conversation.runs.append(run)
            conversation.updatedAt = run.createdAt
            if conversation.runs.count > bounds.messagesPerConversation { forget(conversation.runs.removeFirst()) }
        } else {
            looseRuns.append(run.messageID)
            if looseRuns.count > bounds.looseRuns, let oldest = looseRuns.removeFirst(), let run = messages[oldest] {
                forget(run)
            }
        }
        messages[run.messageID] = run
        if run.app.mode.hasWorkflow { runs[run.id] = run }
        count(run)
    }

    mutating func addFile(_ id: String, _ file: File) {
        files[id] = file
        fileOrder.append(id)
        if fileOrder.count > bounds.files, let oldest = fileOrder.removeFirst() { files[oldest] = nil }
    }

    /// The run that waits, or waited, for the form with this token.
    func run(formToken token: String, app: SimulatedDify.App) -> DifyRun? {
        runs.values.first { $0.app.id == app.id && $0.read { $0.form?.token } == token }
    }

    var paused: [DifyRun] { runs.values.filter { $0.read { $0.status } == .paused } }

    mutating func keepTask(_ run: DifyRun) { tasks[run.taskID] = run }
    mutating func dropTask(_ run: DifyRun) { tasks[run.taskID] = nil }

    func run(_ id: String, app: SimulatedDify.App) -> DifyRun? { runs[id].flatMap { $0.app.id == app.id ? $0 : nil } }

    /// The runs of an app, newest first.
    /// - Parameter user: whose; `nil`: anybody's.
    func runs(of app: SimulatedDify.App, user: String?) -> [DifyRun] {
        runs.values.filter { $0.app.id == app.id && (user == nil || $0.user == user) }
            .sorted { ($0.createdAt, $0.id) > ($1.createdAt, $1.id) }
    }

    func message(_ id: String, app: SimulatedDify.App, user: String) throws -> DifyRun {
        guard let found = messages[id], found.app.id == app.id, found.user == user else { throw DifyError.noMessage }
        return found
    }

    private mutating func forget(_ run: DifyRun) {
        messages[run.messageID] = nil
        runs[run.id] = nil
    }

    private mutating func count(_ run: DifyRun) {
        counts.runs += 1
        guard bounds.countedAsks > 0 else { return }
        let ask = SimulatedDify.Counts.Asked(user: run.user, query: run.query)
        if counts.asked[ask, default: 0] == 0 {
            askedOrder.append(run.user + "\u{0}" + run.query)
            if askedOrder.count > bounds.countedAsks, let oldest = askedOrder.removeFirst() {
                let parts = oldest.split(separator: "\u{0}", maxSplits: 1, omittingEmptySubsequences: false)
                counts.asked[.init(user: String(parts[0]), query: String(parts[1]))] = nil
            }
        }
        counts.asked[ask, default: 0] += 1
    }

    /// First in, first out.
    private struct Line {
        private var items: [String] = []
        private var head = 0

        var count: Int { items.count - head }

        mutating func append(_ item: String) { items.append(item) }

        mutating func removeFirst() -> String? {
            guard head < items.count else { return nil }
            defer {
                head += 1
                if head > 1024, head * 2 > items.count {
                    items.removeFirst(head)
                    head = 0
                }
            }
            return items[head]
        }
    }
}
