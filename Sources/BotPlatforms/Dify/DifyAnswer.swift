import Base
import Foundation

/// Puts an answer together from the events of a chat app's stream.
///
/// Orders that occur. Chatflow: `workflow_started`, nodes, `message`…, `message_end`, `workflow_finished`; failed:
/// `workflow_finished`, `error`; stopped: `workflow_finished`, `message_end`. New Agent: `agent_message`…, one `message`
/// that repeats everything, `message_end`. Documentation: `en/api-reference/guides/streaming.mdx`.
struct DifyAnswer {
    enum Progress {
        case more
        /// The answer is whole; the end of its run, with what it gives out beside it, usually follows at once.
        case said
        case whole
    }

    private(set) var trace: AskTrace
    private(set) var said = ""
    /// Also true of an answer that was replaced by nothing.
    private var hasSpoken = false
    private var hasAgentPieces = false
    private var hasEnded = false
    private var files = DifyFiles()
    private var pause = DifyPause()
    private let app: DifyApp
    private let words: DifyWords
    private var session: PlatformSession?
    /// The form after which a run goes on, if it does.
    private let resumed: DifyForm?
    private var origin: String { app.connection.origin }
    private let decoder = JSONDecoder()

    /// - Parameters:
    ///   - session: the conversation that was asked, if there was one.
    ///   - trace: what is known already.
    init(
        _ app: DifyApp, session: PlatformSession?, words: DifyWords, resumed: DifyForm? = nil,
        trace: AskTrace = AskTrace()
    ) {
        self.app = app
        self.session = session
        self.words = words
        self.resumed = resumed
        self.trace = trace
    }

    private var hasBegun: Bool { trace != AskTrace() || hasSpoken }

    /// Whether the whole text was said, though the end of the run may be missing.
    var isSaid: Bool { hasEnded && hasSpoken }

    /// Whether it ended in a form that waits for the person.
    var waitsForPerson: Bool { pause.form != nil }

    /// Whether a run that went on has ended and what it said is not in its stream.
    var lacksText: Bool {
        app.kind.hasConversations && resumed != nil && !hasSpoken && files.isEmpty && !pause.isPaused
    }

    /// Whether a run that went on was not heard to its end or next pause.
    var lacksEnd: Bool { resumed != nil && !hasEnded && !pause.isPaused }

    /// Takes the next event, and tells what it adds to the answer.
    /// - Throws: ``PlatformError`` or ``DifyRefusal`` when there will be none, `DecodingError`.
    mutating func take(_ event: ServerSentEvent, say: (ReplyPart) -> Void) throws -> Progress {
        if event.data.isEmpty { return .more }
        switch DifyEvent.Name(peekingAt: event.data) {
        case .message: try takeMessage(event, say: say)
        case .agentMessage:
            hasAgentPieces = true
            add(try piece(event, say: say), say: say)
        case .messageReplace: replace(with: try piece(event, say: say), say: say)
        case .messageFile:
            let file = try read(event, as: DifyEvent.Lax<DifyEvent.File>.self, say: say)
            add(file.value.map { [$0] } ?? [], say: say)
        case .messageEnd:
            let end = try read(event, as: DifyEvent.End.self, say: say)
            add(end.files?.value ?? [], say: say)
            hasEnded = true
            // Without text so far, it is in the outputs of the `workflow_finished` that follows.
            return !hasSpoken ? .more : app.kind == .chatflow ? .said : .whole
        case .textChunk:
            let chunk = try read(event, as: DifyEvent.Chunk.self, say: say)
            // Shown as it comes only where it is shown like this in the end.
            if app.outputStyle == .plain { add(chunk.data?.text ?? "", say: say) }
        case .workflowFinished:
            // What a chatflow gives out beside its answer is rare; most need not be read.
            if isSaid, resumed == nil, !event.data.hasBytes(of: DifyOutputs.action),
                !event.data.hasBytes(of: "url\"")
            {
                return .whole
            }
            let run = try read(event, as: DifyEvent.Run.self, say: say).data
            let order =
                app.kind == .workflow ? JSONWalk.names(at: ["data", "outputs"], in: Array(event.data.utf8)) : []
            return try finish(run, order: order, say: say)
        case .humanInputRequired: pause.take(try read(event, as: DifyEvent.Pause.self, say: say).data, trace)
        case .workflowPaused:
            pause.takeReasons(try read(event, as: DifyEvent.Pause.self, say: say).data, trace)
            try ask(say: say)
            return .whole
        case .error:
            let hasBegun = hasBegun
            let failure = try read(event, as: DifyEvent.Failure.self, say: say)
            throw DifyRefusal(event: failure, hasBegun: hasBegun)
        case .workflowStarted:
            if let texts = JSONWalk.texts(DifyEvent.IDs.names, in: Array(event.data.utf8)) {
                note(DifyEvent.IDs(texts), say: say)
            } else {
                _ = try read(event, as: DifyEvent.Nothing.self, say: say)
            }
        case nil: if trace == AskTrace() { _ = try? read(event, as: DifyEvent.Nothing.self, say: say) }
        }
        return .more
    }

    /// Takes a run that was awaited in one piece.
    /// - Throws: as ``take(_:say:)``.
    mutating func take(whole answer: [UInt8], say: (ReplyPart) -> Void) throws -> Progress {
        let read = try decoder.decode(DifyEvent.Identified<DifyEvent.Run>.self, from: Data(answer))
        note(read.ids, say: say)
        return try finish(
            read.fields.data, order: JSONWalk.names(at: ["data", "outputs"], in: answer), say: say)
    }

    /// Call when the stream has ended before ``take(_:say:)`` said that the answer is whole.
    /// - Throws: ``PlatformError`` if something is missing.
    mutating func end(say: (ReplyPart) -> Void) throws {
        if pause.isPaused { return try ask(say: say) }
        guard hasEnded else {
            throw PlatformError(.uncertain, "Dify's stream ended before the answer was whole.")
        }
    }

    /// What a look finds of a run that waits for its person.
    mutating func pause(with form: DifyForm, saying text: String, say: (ReplyPart) -> Void) {
        if !text.isEmpty { add(text, say: say) }
        pause.form = form
        ask(form, say: say)
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

    private mutating func finish(
        _ run: DifyEvent.Run.Data?, order: [String], say: (ReplyPart) -> Void
    ) throws -> Progress {
        switch run?.status?.value {
        // What was said to its end stays said.
        case "failed" where !isSaid: throw PlatformError.runFailed(run?.error?.value)
        case "paused":
            try ask(say: say)
            return .whole
        case "running": return .more
        // Not the end that is documented: the stream's own end tells whether something is missing.
        case nil where !isSaid: return .more
        default: break
        }
        let outputs = DifyOutputs(run?.outputs, order: order)
        if app.kind == .workflow {
            let text = outputs.text(app.outputStyle)
            if !hasSpoken { add(text, say: say) } else if text != said { replace(with: text, say: say) }
        } else {
            complete(with: outputs.answer ?? "", say: say)
        }
        add(outputs.files + (run?.files?.value ?? []), say: say)
        for action in outputs.actions { say(.action(action)) }
        if !hasSpoken, files.isEmpty, outputs.actions.isEmpty, run?.status?.value == "stopped" {
            throw PlatformError.stoppedUnsaid
        }
        return .whole
    }

    /// Where nothing was said the outputs hold the text. A reader who joins a run that goes on may miss the beginning.
    private mutating func complete(with answer: String, say: (ReplyPart) -> Void) {
        guard let resumed else {
            if !hasSpoken { add(answer, say: say) }
            return
        }
        let new = answer.hasPrefix(resumed.said) ? String(answer.dropFirst(resumed.said.count)) : answer
        if !hasSpoken {
            add(new, say: say)
        } else if new.count > said.count, new.hasSuffix(said) {
            replace(with: new, say: say)
        }
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

    // MARK: Human input

    private mutating func ask(say: (ReplyPart) -> Void) throws {
        if let form = pause.form { return ask(form, say: say) }
        guard pause.isElsewhere else { throw PlatformError.pausesForHumanInput }
        say(.nextMessage)
        say(.text(words.askedByMail))
    }

    private mutating func ask(_ form: DifyForm, say: (ReplyPart) -> Void) {
        var form = form
        // A long text is not worth its place in the session.
        if said.utf8.count <= 16 * 1024 { form.said = said }
        for part in form.asked(in: words) { say(part) }
        say(.session((session ?? PlatformSession(id: form.run)).with(form)))
    }

    // MARK: Reading

    /// The text of an event. Once the ids are known only that is read: of these events there are many.
    private mutating func piece(_ event: ServerSentEvent, say: (ReplyPart) -> Void) throws -> String {
        let bytes = Array(event.data.utf8)
        if trace.conversationID != nil || !app.kind.hasConversations, trace.messageID != nil, trace.taskID != nil {
            if let texts = JSONWalk.texts(["answer"], in: bytes) { return texts[0] ?? "" }
            return try decoder.decode(DifyEvent.Piece.self, from: Data(bytes)).answer ?? ""
        }
        guard let texts = JSONWalk.texts(DifyEvent.IDs.names + ["answer"], in: bytes) else {
            return try read(event, as: DifyEvent.Piece.self, say: say).answer ?? ""
        }
        note(DifyEvent.IDs(texts), say: say)
        return texts.last.flatMap(\.self) ?? ""
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
        // They are stored with the dialog.
        func keep(_ id: String?, in known: inout String?) {
            if let id, !id.isEmpty, id.utf8.count <= 256 { known = id }
        }
        keep(ids.conversation, in: &trace.conversationID)
        keep(ids.message, in: &trace.messageID)
        keep(ids.task, in: &trace.taskID)
        keep(ids.run, in: &trace.runID)
        guard trace != before else { return }
        say(.trace(trace))
        guard app.kind.hasConversations, let conversation = trace.conversationID,
            conversation != before.conversationID || trace.messageID != before.messageID
        else { return }
        let next = PlatformSession(conversation: conversation, message: trace.messageID, following: session)
        session = next
        say(.session(next))
    }
}

/// What a run waits for.
private struct DifyPause {
    var form: DifyForm?
    /// Whether the form went to somebody by e-mail: it has no token.
    private(set) var isElsewhere = false
    private(set) var isPaused = false

    /// The first form that can be answered here counts; others are asked when the run goes on.
    mutating func take(_ data: JSON?, _ trace: AskTrace) {
        isPaused = true
        guard form == nil, let data else { return }
        if let found = DifyForm(data, run: trace.runID) {
            form = found
        } else if data["form_token"]?.string?.isEmpty != false,
            data["form_id"] != nil || data["form_content"] != nil || data["form_token"] != nil
        {
            isElsewhere = true
        }
    }

    /// The pause names its forms again.
    mutating func takeReasons(_ data: JSON?, _ trace: AskTrace) {
        isPaused = true
        for reason in data?["reasons"]?.array ?? [] where reason["TYPE"]?.string == "human_input_required" {
            take(reason, trace)
        }
    }
}

/// The files of an answer. The same file can come in several events, and as a link in the text.
struct DifyFiles {
    private static let most = 50
    private var known: Set<String> = []

    var isEmpty: Bool { known.isEmpty }

    /// `nil` for a file that was named before, or that the person sent.
    /// - Parameter said: the text so far.
    mutating func part(for file: DifyEvent.File, origin: String, said: String) -> ReplyPart? {
        guard file.owner != "user", known.count < Self.most else { return nil }
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
