import Base
import Synchronization

/// One request to an app and what came of it: the run, and in the modes that have messages the message row. It exists
/// from the moment the request arrived, and goes on when the client leaves.
final class DifyRun: Sendable {
    enum Status: String, Sendable {
        case running, paused, succeeded, failed, stopped
        case partialSucceeded = "partial-succeeded"
    }

    /// What the asking client's connection is given.
    enum Output: Sendable {
        case bytes([UInt8])
        case cut
    }

    let app: SimulatedDify.App
    let user: String
    let query: String
    let inputs: Members<JSON>
    let id = Vault.randomUUID()
    let taskID = Vault.randomUUID()
    let messageID = Vault.randomUUID()
    /// Empty in the modes without conversations.
    let conversationID: String
    let parentMessageID: String?
    let createdAt: Int64
    let watch: PlatformWatch?

    struct State {
        var status = Status.running
        var answer = ""
        var error: String?
        /// Outputs with names of their own.
        var outputs: Members<JSON> = [:]
        /// What the assistant made.
        var files: [DifyFile] = []
        /// Nodes that failed in a run that went on.
        var exceptions = 0
        /// The form that the run waits for.
        var form: DifyForm?
        var finishedAt: Int64?
        var feedback: String?
        var steps = 0
        /// Those who follow the run while it goes on.
        var followers: [Int: AsyncStream<Output>.Continuation] = [:]
        var nextFollower = 0
        var task: Task<Void, Never>?
        var stopAsked = false
    }
    private let state = Mutex(State())

    init(
        app: SimulatedDify.App, user: String, query: String, inputs: Members<JSON>, conversationID: String,
        parentMessageID: String?, createdAt: Int64, watch: PlatformWatch? = nil
    ) {
        self.watch = watch
        self.app = app
        self.user = user
        self.query = query
        self.inputs = inputs
        self.conversationID = conversationID
        self.parentMessageID = parentMessageID
        self.createdAt = createdAt
    }

    func read<Value: Sendable>(_ body: (borrowing State) -> Value) -> Value { state.withLock { body($0) } }
    func change<Value: Sendable>(_ body: (inout State) -> sending Value) -> Value { state.withLock { body(&$0) } }

    var isRunning: Bool { read { $0.status == .running } }

    /// Follows the run from here on; ends with it, or when the reader's task is cancelled. A finished run gives nothing.
    func follow() -> AsyncStream<Output> {
        AsyncStream { continuation in
            let number: Int? = change { state in
                guard state.status == .running || state.status == .paused else { return nil }
                state.nextFollower += 1
                state.followers[state.nextFollower] = continuation
                return state.nextFollower
            }
            guard let number else { return continuation.finish() }
            continuation.onTermination = { [weak self] _ in
                self?.change { _ = $0.followers.removeValue(forKey: number) }
            }
        }
    }

    func send(_ output: Output) {
        for follower in read({ Array($0.followers.values) }) { follower.yield(output) }
    }

    /// Records the end and lets the followers go.
    func endFollowing() {
        let followers = change { state in
            defer { state.followers = [:] }
            return Array(state.followers.values)
        }
        for follower in followers { follower.finish() }
    }

    /// Asks the run to end as `stopped`. One that has ended stays as it is.
    func stop() {
        let task = change { state in
            state.stopAsked = true
            return state.task
        }
        task?.cancel()
    }
}
