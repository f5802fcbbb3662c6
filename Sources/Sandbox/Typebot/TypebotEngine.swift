import Base

/// Walks a flow: one answer's worth of it.
/// Documentation: `startBotFlow.ts`, `continueBotFlow.ts`, `walkFlowForward.ts` of `packages/bot-engine/src`.
struct TypebotEngine {
    private(set) var state: TypebotState
    let isMarkdown: Bool
    private(set) var messages: [JSON] = []
    private(set) var input: JSON?
    private(set) var actions: [JSON] = []
    private(set) var logs: [JSON] = []
    /// The last message as the flow keeps it, where that differs.
    private(set) var newFormat: String?
    /// An embed that waits for its event.
    private(set) var waitsForEvent = false
    private var lastBubble: String?
    private var steps = 0

    init(_ state: TypebotState, isMarkdown: Bool) {
        self.state = state
        self.isMarkdown = isMarkdown
    }

    /// Whether the flow is over with this answer.
    var isEnded: Bool { input == nil && !expectsReply && !waitsForEvent }
    var expectsReply: Bool { actions.contains { $0["expectsDedicatedReply"]?.bool == true } }

    // MARK: Beginning and going on

    /// The message is taken only where the flow begins with an input that shows nothing itself; else it is dropped.
    mutating func start(_ message: TypebotMessage?) throws {
        try walk(from: state.place(state.flow.groups.first?.id))
        guard let message, messages.isEmpty, !expectsReply, case .input(let input)? = state.current?.kind,
            !input.kind.showsContent
        else { return }
        self.input = nil
        try proceed(message)
    }

    mutating func proceed(_ message: TypebotMessage?) throws {
        guard state.blockID != nil else {
            state.progress = nil
            return try start(message)
        }
        if case .command(let command)? = message { return try run(command) }
        guard let id = state.blockID, let place = state.position(ofBlock: id), let block = state.block(place) else {
            throw TypebotError(status: 500, code: "INTERNAL_SERVER_ERROR", message: "Group / block not found")
        }
        var next = block.next
        switch block.kind {
        case .input(let input):
            switch TypebotReplies(input: input, state: state).judge(message) {
            case .refused: return retry(input, block)
            case .skipped: break
            case .accepted(let content, let way, let updates):
                for (name, value) in updates { state.set(name, value) }
                save(message, content, input)
                if let way { next = way }
            }
        case .action(_, let saves): try save(message, saves)
        case .bubble("embed", let content):
            if let name = SimulatedTypebot.Input.variable(content["waitForEvent"]?["saveDataInVariableId"]) {
                try save(message, .reply(name))
            }
        default: break
        }
        try walk(from: state.place(next) ?? following(place))
    }

    /// The next block of the group, if it has one.
    private func following(_ place: TypebotState.Place) -> TypebotState.Place? {
        let next = TypebotState.Place(group: place.group, block: place.block + 1)
        return state.block(next) == nil ? nil : next
    }

    // MARK: Replies

    private mutating func save(_ message: TypebotMessage?, _ content: String, _ input: SimulatedTypebot.Input) {
        switch message {
        case .text(let text, _, let attached)?:
            if content != text { newFormat = content }
            let attachments = input.options["attachments"]
            if attachments?["isEnabled"]?.bool == true, !attached.isEmpty,
                let name = SimulatedTypebot.Input.variable(attachments?["saveVariableId"])
            {
                state.set(name, attached.count == 1 ? .string(attached[0]) : .array(attached.map(JSON.string)))
            }
            if let name = input.variable {
                // A list takes the answer as one more.
                state.set(
                    name, state.variables[name]?.array.map { .array($0 + [.string(content)]) } ?? .string(content))
            }
        case .audio(let url)?:
            if input.options["audioClip"]?["isEnabled"]?.bool == true,
                let name = SimulatedTypebot.Input.variable(input.options["audioClip"]?["saveVariableId"])
            {
                state.set(name, .string(url))
            }
        default: break
        }
        state.progress = state.progress.map { $0 + 1 }
    }

    private mutating func save(_ message: TypebotMessage?, _ saves: SimulatedTypebot.Block.Saved) throws {
        guard case .text(let text, _, _)? = message else { return }
        let read = try? JSON(parsing: text.utf8)
        switch saves {
        case .nothing: break
        case .reply(let name): state.set(name, read ?? .string(text))
        case .response(let paths):
            guard let read else { throw TypebotError.badRequest("Provided response is not valid JSON") }
            save(read, paths)
        case .webhook(let paths): save(read ?? ["statusCode": 200, "data": .string(text)], paths)
        }
    }

    private mutating func save(_ response: JSON, _ paths: [String: String]) {
        for (path, name) in paths {
            let value = path.split(separator: ".").reduce(Optional(response)) { $0?[String($1)] }
            if let value { state.set(name, value) }
        }
    }

    private mutating func retry(_ input: SimulatedTypebot.Input, _ block: SimulatedTypebot.Block) {
        let own = input.options["retryMessageContent"]?.string ?? ""
        let text =
            switch input.kind {
            case _ where !own.isEmpty: own
            case .email: "This email doesn't seem to be valid. Can you type it again?"
            case .payment: "Payment failed. Please, try again."
            default: state.flow.invalidMessage
            }
        messages.append(bubble("text", id: block.id, text: [.paragraph(state.filled(text))]))
        self.input = TypebotInputs(state: state).input(input, block: block)
    }

    // MARK: Commands

    private mutating func run(_ command: String) throws {
        guard let event = state.flow.commands.first(where: { $0.command == command }) else {
            throw TypebotError.badRequest("Command event not found")
        }
        guard let target = state.place(event.next) else {
            throw TypebotError.badRequest("Command event doesn't have a connected edge")
        }
        if event.resumesAfter, let id = state.blockID, let place = state.position(ofBlock: id) {
            state.queue.insert("\(state.flow.groups[place.group].id)/\(id)", at: 0)
        }
        try walk(from: target)
    }

    // MARK: Walking

    private mutating func walk(from start: TypebotState.Place?) throws {
        var place = start ?? unqueue()
        while let here = place {
            place = try play(here)
            if place == nil, input == nil, !expectsReply, !waitsForEvent, messages.last?["type"] != "embed" {
                place = unqueue()
            }
        }
    }

    private mutating func unqueue() -> TypebotState.Place? {
        state.queue.isEmpty ? nil : state.place(state.queue.removeFirst())
    }

    /// Plays a group from a block on.
    /// - Returns: where it leads; `nil` where the flow stands or this way ends.
    private mutating func play(_ start: TypebotState.Place) throws -> TypebotState.Place? {
        var place = start
        var next: String?
        while let block = state.block(place) {
            steps += 1
            if steps > 10_000 { throw TypebotError.timeout }
            next = block.next
            if try play(block, &next) { return nil }
            // Only what is not shown turns off in the middle of a group.
            if next != nil, !isBubble(block) { break }
            place.block += 1
        }
        return state.place(next)
    }

    private func isBubble(_ block: SimulatedTypebot.Block) -> Bool {
        switch block.kind {
        case .text, .bubble: true
        default: false
        }
    }

    /// - Returns: whether the flow stands at this block.
    private mutating func play(_ block: SimulatedTypebot.Block, _ next: inout String?) throws -> Bool {
        switch block.kind {
        case .text(let elements):
            messages.append(bubble("text", id: block.id, text: TypebotText(state: state).filled(elements)))
            lastBubble = block.id
        case .bubble(let type, let content):
            messages.append(["id": .string(block.id), "type": .string(type), "content": state.filled(content)])
            waitsForEvent = type == "custom-embed" || content["waitForEvent"]?["isEnabled"]?.bool == true
            if waitsForEvent {
                state.blockID = block.id
                return true
            }
            lastBubble = block.id
        case .input(let input):
            self.input = TypebotInputs(state: state).input(input, block: block)
            state.blockID = block.id
            return true
        case .condition(let branches):
            if let way = branches.first(where: { state.holds($0.condition) }) { next = way.next }
        case .setVariable(let name, let value): state.set(name, state.filled(value))
        case .jump(let target): next = target
        case .log(let entry): logs.append(entry)
        case .action(let action, _):
            var action = state.filled(action)
            if let lastBubble { action["lastBubbleBlockId"] = .string(lastBubble) }
            actions.append(action)
            if action["expectsDedicatedReply"]?.bool == true {
                state.blockID = block.id
                return true
            }
        }
        return false
    }

    private func bubble(_ type: String, id: String, text: [JSON]) -> JSON {
        let content: JSON =
            isMarkdown
            ? ["type": "markdown", "markdown": .string(TypebotText.markdown(text))]
            : ["type": "richText", "richText": .array(text)]
        return ["id": .string(id), "type": .string(type), "content": content]
    }
}
