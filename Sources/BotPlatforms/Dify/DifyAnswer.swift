import Base

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
    @Rare private var resumed: DifyForm?
    private var origin: String { app.connection.origin }

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

    private var hasBegun: Bool { !trace.isEmpty || hasSpoken }

    private var knowsIDs: Bool {
        (trace.conversationID != nil || !app.kind.hasConversations) && trace.messageID != nil && trace.taskID != nil
    }

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
        let data = Array(event.data.utf8)
        let name = DifyEvent.Name(peekingAt: data)
        // What a chatflow gives out beside its answer is rare; most need not be read.
        if name == .workflowFinished, isSaid, resumed == nil, !event.data.hasBytes(of: DifyOutputs.action),
            !event.data.hasBytes(of: "url\"")
        {
            return .whole
        }
        let members = DifyEvent.members(of: name)
        guard let name else {
            // Events without a name of these are read for their ids only, and may be anything.
            if trace.isEmpty, let body = try? JSON(parsing: data, only: members) {
                note(DifyEvent.IDs(body), say: say)
            }
            return .more
        }
        let readsTextOnly = knowsIDs && name.isPiece
        let body = try JSON(parsing: data, only: readsTextOnly ? DifyEvent.text : members)
        let hasBegun = hasBegun
        if !readsTextOnly { note(DifyEvent.IDs(body), say: say) }
        switch name {
        case .message: takeMessage(try body.text(of: "answer"), say: say)
        case .agentMessage:
            hasAgentPieces = true
            add(try body.text(of: "answer"), say: say)
        case .messageReplace: replace(with: try body.text(of: "answer"), say: say)
        case .messageFile: if body.object != nil { add([DifyEvent.File(body)], say: say) }
        case .messageEnd:
            add(DifyEvent.File.list(body["files"]), say: say)
            hasEnded = true
            // Without text so far, it is in the outputs of the `workflow_finished` that follows.
            return !hasSpoken ? .more : app.kind == .chatflow ? .said : .whole
        case .textChunk:
            // Shown as it comes only where it is shown like this in the end.
            if app.outputStyle == .plain { add(try (body["data"] ?? [:]).text(of: "text"), say: say) }
        case .workflowFinished:
            let order = app.kind == .workflow ? JSON.names(at: ["data", "outputs"], in: data) : []
            return try finish(body["data"] ?? [:], order: order, say: say)
        case .humanInputRequired: pause.take(body["data"], trace)
        case .workflowPaused:
            pause.takeReasons(body["data"], trace)
            try ask(say: say)
            return .whole
        case .error: throw DifyRefusal(event: body, hasBegun: hasBegun)
        case .workflowStarted: break
        }
        return .more
    }

    /// Takes a run that was awaited in one piece.
    /// - Throws: as ``take(_:say:)``.
    mutating func take(whole answer: [UInt8], say: (ReplyPart) -> Void) throws -> Progress {
        let body = try JSON(parsing: answer)
        note(DifyEvent.IDs(body), say: say)
        return try finish(body["data"] ?? [:], order: JSON.names(at: ["data", "outputs"], in: answer), say: say)
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

    private mutating func takeMessage(_ text: String, say: (ReplyPart) -> Void) {
        if hasAgentPieces {
            if text != said, !text.isEmpty { replace(with: text, say: say) }
        } else {
            add(text, say: say)
        }
    }

    private mutating func finish(_ run: JSON, order: [String], say: (ReplyPart) -> Void) throws -> Progress {
        let status = run["status"]?.string
        switch status {
        // What was said to its end stays said.
        case "failed" where !isSaid: throw PlatformError.runFailed(run["error"]?.string)
        case "paused":
            try ask(say: say)
            return .whole
        case "running": return .more
        // Not the end that is documented: the stream's own end tells whether something is missing.
        case nil where !isSaid: return .more
        default: break
        }
        let outputs = DifyOutputs(run["outputs"], order: order)
        if app.kind == .workflow {
            let text = outputs.text(app.outputStyle)
            if !hasSpoken { add(text, say: say) } else if text != said { replace(with: text, say: say) }
        } else {
            complete(with: outputs.answer ?? "", say: say)
        }
        add(outputs.files + DifyEvent.File.list(run["files"]), say: say)
        for action in outputs.actions { say(.action(action)) }
        if !hasSpoken, files.isEmpty, outputs.actions.isEmpty, status == "stopped" {
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
    @Rare var form: DifyForm?
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
