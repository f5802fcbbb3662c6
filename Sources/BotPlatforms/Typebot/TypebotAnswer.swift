import Base

/// What `startChat` and `continueChat` answer. What is unknown or of another type than documented is left out, and takes
/// nothing else with it.
struct TypebotAnswer: Sendable {
    /// Empty in an answer of `continueChat`.
    var sessionID: String
    var bubbles: [JSON]
    var input: TypebotInput?
    var actions: [TypebotAction]
    /// What went wrong in the flow's integrations, for its author.
    var logs: [JSON]

    /// `nil` if that is no answer of the chat API.
    init?(_ json: JSON) {
        guard json["messages"] != nil || json["input"] != nil || json["clientSideActions"] != nil else { return nil }
        sessionID = json["sessionId"]?.string.flatMap { $0.utf8.count <= Self.longestID ? $0 : nil } ?? ""
        bubbles = Array((json["messages"]?.array ?? []).prefix(Self.mostBubbles))
        input = json["input"].flatMap(TypebotInput.init)
        actions = (json["clientSideActions"]?.array ?? []).compactMap(TypebotAction.init)
        logs = json["logs"]?.array ?? []
    }

    /// Whether the flow goes on, though it asks nothing: the next message is what an embedded page would have told it
    /// (`saveStateToDatabase.ts`, `handleContinueChat.ts`).
    var waitsForEvent: Bool {
        bubbles.contains { bubble in
            switch bubble["type"]?.string {
            case "custom-embed": true
            case "embed": bubble["content"]?["waitForEvent"]?["isEnabled"]?.bool == true
            default: false
            }
        }
    }

    /// Set if the flow stands until it gets an answer that people do not see.
    var dedicatedReply: TypebotAction? { input == nil ? actions.last { $0.expectsReply } : nil }

    private static let mostBubbles = 1_000
    /// In bytes: ids are kept with the dialog.
    static let longestID = 256
}

/// Something that Typebot's own page would do between two bubbles.
struct TypebotAction: Sendable, Hashable {
    enum Kind: Sendable, Hashable {
        case wait(Duration)
        case redirect(String)
        case setVariable
        case httpRequest
        case other
    }
    var kind: Kind
    /// The bubble that it follows; `nil`: it comes first.
    var bubble: String?
    var expectsReply: Bool

    init?(_ json: JSON) {
        guard let type = json["type"]?.string else { return nil }
        bubble = json["lastBubbleBlockId"]?.string
        expectsReply = json["expectsDedicatedReply"]?.bool == true
        kind =
            switch type {
            case "wait": .wait(Self.pause(json["wait"]?["secondsToWaitFor"]))
            case "redirect": .redirect(json["redirect"]?["url"]?.string ?? "")
            case "setVariable": .setVariable
            case "httpRequestToExecute": .httpRequest
            default: .other
            }
    }

    private static func pause(_ seconds: JSON?) -> Duration {
        guard let seconds = seconds?.double, seconds > 0 else { return .zero }
        return .milliseconds(Int64(min(seconds, 3600) * 1000))
    }

    /// What BitBot answers in the page's stead, who runs neither scripts nor requests of a flow (`continueBotFlow.ts`).
    var reply: JSON? {
        switch kind {
        case .setVariable: ["type": "text", "text": ""]
        case .httpRequest: ["type": "text", "text": #"{"statusCode":501,"data":"Not carried out in this chat"}"#]
        case .wait, .redirect, .other: nil
        }
    }
}

extension JSON {
    /// A finite number, also one that is written as text.
    var double: Double? {
        switch self {
        case .integer(let value): Double(value)
        case .number(let value): value
        case .string(let text): Double(text).flatMap { $0.isFinite ? $0 : nil }
        default: nil
        }
    }

    /// Text that says something.
    var saying: String? { string.flatMap { $0.allSatisfy(\.isWhitespace) ? nil : $0 } }
}
