import Base
import Foundation

/// Puts an answer together from the events of a chat app's stream.
///
/// Orders that occur. Chatflow: `workflow_started`, nodes, `message`…, `message_end`, `workflow_finished`; failed:
/// `workflow_finished`, `error`; stopped: `workflow_finished`, `message_end`. New Agent: `agent_message`…, one `message`
/// that repeats everything, `message_end`. Documentation: `en/api-reference/guides/streaming.mdx`.
struct DifyAnswer {
    private(set) var trace = AskTrace()
    private var said = ""
    /// Also true of an answer that was replaced by nothing.
    private var hasSpoken = false
    private var hasAgentPieces = false
    private var hasEnded = false
    private var files = DifyFiles()
    private let session: PlatformSession?
    private let origin: String
    private let decoder = JSONDecoder()

    /// - Parameters:
    ///   - session: the conversation that was asked, if there was one.
    ///   - origin: what relative links start from.
    init(session: PlatformSession?, origin: String) {
        self.session = session
        self.origin = origin
    }

    private var hasBegun: Bool { trace != AskTrace() || hasSpoken }

    /// Takes the next event, and tells what it adds to the answer.
    /// - Returns: whether the answer is whole.
    /// - Throws: ``PlatformError`` or ``DifyRefusal`` when there will be none, `DecodingError`.
    mutating func take(_ event: ServerSentEvent, say: (ReplyPart) -> Void) throws -> Bool {
        if event.data.isEmpty { return false }
        switch DifyEvent.Name(peekingAt: event.data) {
        case .message: try takeMessage(event, say: say)
        case .agentMessage:
            hasAgentPieces = true
            add(try piece(event, say: say), say: say)
        case .messageReplace: replace(with: try piece(event, say: say), say: say)
        case .messageFile:
            let file = try read(event, as: DifyEvent.File.self, say: say)
            add([file], say: say)
        case .messageEnd:
            let end = try read(event, as: DifyEvent.End.self, say: say)
            add(end.files?.value ?? [], say: say)
            hasEnded = true
            // Without text so far, it is in the outputs of the `workflow_finished` that follows.
            return hasSpoken
        case .workflowFinished: return try finish(try read(event, as: DifyEvent.Run.self, say: say).data, say: say)
        case .humanInputRequired, .workflowPaused:
            _ = try read(event, as: DifyEvent.Nothing.self, say: say)
            throw PlatformError.pausesForHumanInput
        case .error:
            let hasBegun = hasBegun
            let failure = try read(event, as: DifyEvent.Failure.self, say: say)
            throw DifyRefusal(event: failure, hasBegun: hasBegun)
        case .workflowStarted: _ = try read(event, as: DifyEvent.Nothing.self, say: say)
        case nil: if trace == AskTrace() { _ = try? read(event, as: DifyEvent.Nothing.self, say: say) }
        }
        return false
    }

    /// Call when the stream has ended before ``take(_:say:)`` said that the answer is whole.
    /// - Throws: ``PlatformError`` if something is missing.
    func checkEnd() throws {
        guard hasEnded else {
            throw PlatformError(.uncertain, "Dify's stream ended before the answer was whole.")
        }
    }

    // MARK: Events

    private mutating func takeMessage(_ event: ServerSentEvent, say: (ReplyPart) -> Void) throws {
        let text = try piece(event, say: say)
        if hasAgentPieces {
            if text != said, !text.isEmpty { replace(with: text, say: say) }
        } else {
            add(text, say: say)
        }
    }

    private mutating func finish(_ run: DifyEvent.Run.Data?, say: (ReplyPart) -> Void) throws -> Bool {
        switch run?.status {
        case "failed": throw PlatformError.runFailed(run?.error)
        case "paused": throw PlatformError.pausesForHumanInput
        case "running": return false
        default: break
        }
        if !hasSpoken, let answer = run?.outputs?.outputsAnswer { add(answer, say: say) }
        add(run?.files?.value ?? [], say: say)
        if !hasSpoken, files.isEmpty, run?.status == "stopped" { throw PlatformError.stoppedUnsaid }
        return true
    }

    private mutating func add(_ text: String, say: (ReplyPart) -> Void) {
        guard !text.isEmpty else { return }
        said += text
        hasSpoken = true
        say(.text(text))
    }

    private mutating func replace(with text: String, say: (ReplyPart) -> Void) {
        said = text
        hasSpoken = true
        say(.replaceText(text))
    }

    private mutating func add(_ new: [DifyEvent.File], say: (ReplyPart) -> Void) {
        for file in new {
            if let part = files.part(for: file, origin: origin, said: said) { say(part) }
        }
    }

    // MARK: Reading

    /// The text of an event. Once the ids are known only that is read: of these events there are many.
    private mutating func piece(_ event: ServerSentEvent, say: (ReplyPart) -> Void) throws -> String {
        if trace.conversationID != nil, trace.messageID != nil, trace.taskID != nil {
            return try decoder.decode(DifyEvent.Piece.self, from: Data(event.data.utf8)).answer ?? ""
        }
        return try read(event, as: DifyEvent.Piece.self, say: say).answer ?? ""
    }

    private mutating func read<Fields: Decodable>(
        _ event: ServerSentEvent, as type: Fields.Type, say: (ReplyPart) -> Void
    ) throws -> Fields {
        let read = try decoder.decode(DifyEvent.Identified<Fields>.self, from: Data(event.data.utf8))
        note(read.ids, say: say)
        return read.fields
    }

    private mutating func note(_ ids: DifyEvent.IDs, say: (ReplyPart) -> Void) {
        let before = trace
        func keep(_ id: String?, in known: inout String?) { if let id, !id.isEmpty { known = id } }
        keep(ids.conversation, in: &trace.conversationID)
        keep(ids.message, in: &trace.messageID)
        keep(ids.task, in: &trace.taskID)
        keep(ids.run, in: &trace.runID)
        guard trace != before else { return }
        say(.trace(trace))
        guard let conversation = trace.conversationID,
            conversation != before.conversationID || trace.messageID != before.messageID
        else { return }
        say(.session(PlatformSession(conversation: conversation, message: trace.messageID, following: session)))
    }
}

/// The files of an answer. The same file can come in several events, and as a link in the text.
struct DifyFiles {
    private var known: Set<String> = []

    var isEmpty: Bool { known.isEmpty }

    /// `nil` for a file that was named before, or that the person sent.
    /// - Parameter said: the text so far.
    mutating func part(for file: DifyEvent.File, origin: String, said: String) -> ReplyPart? {
        guard file.owner != "user" else { return nil }
        guard let link = [file.url, file.remoteURL].lazy.compactMap(\.self).first(where: { !$0.isEmpty }) else {
            return nil
        }
        // What follows the path is a signature, made anew each time.
        let path = String(link.prefix { $0 != "?" && $0 != "#" })
        guard known.insert(path).inserted, !said.contains(path) else { return nil }
        let name = file.filename ?? path.split(separator: "/").last.map(String.init) ?? "file"
        return .file(ReplyFile(url: link.hasPrefix("/") ? origin + link : link, name: name))
    }
}

extension PlatformSession {
    /// Key in ``data`` of the newest message that is known, which tells older messages from a lost one.
    static let newestMessage = "message_id"

    init(conversation: String, message: String?, following former: PlatformSession?) {
        var data: JSON = [:]
        if let former, former.id == conversation, former.data.object != nil { data = former.data }
        data[Self.newestMessage] = message.map(JSON.string)
        self.init(id: conversation, data: data)
    }
}
