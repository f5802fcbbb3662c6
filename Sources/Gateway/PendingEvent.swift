import Base
import Bitrix24
import Storage

/// An event on its way to a bot. It is handed on by many, and held for as long as an answer takes: behind one pointer.
@dynamicMemberLookup
struct PendingEvent: DialogWork {
    enum Progress: Sendable {
        case waiting
        /// It was asked, or was about to be; what became of it is not known.
        case asked(at: Timestamp, trace: String?)
        /// It was answered, and the answer could not be stored yet.
        indirect case answered(Reply, Conversation.Setting)
    }

    struct Content: Sendable {
        let id: ID<EventRecord>
        let dialog: ID<DialogRecord>
        let portal: ID<PortalRecord>
        let bot: ID<BotRecord>
        @Indirect var event: BotEvent
        /// `nil` once it was asked: then it is needed again only to ask again, and the store has it.
        @Rare var auth: EventAuth?
        let receivedAt: Timestamp
        var notBefore: Timestamp
        /// How often it was edited while it waited.
        var edits = 0
        /// Further messages of the same person that are asked together with it as one question, in order.
        var joined: [PendingEvent] = []
        var progress = Progress.waiting
        var attempts = 0
        /// The administrator wants it asked again, if it is known to have failed.
        var mayAskAgain = false
        /// What an operator said before was to be told with the question, and could not be read.
        var missedOperatorPart = false
        /// The last reply may have offered something; the next ends that.
        var mayHaveOffer = true
        /// What of its answer is in the chat already (``LiveAnswer``).
        var shown: OutgoingMessage.Shown?
        /// It was asked before this process read it: a part of its answer may be in the chat.
        var wasAskedBefore = false
        /// The administrator has put it back: what was said then stays, and it is answered anew.
        var isRetried = false
        /// What it was asked last, for the transcript.
        var asked: AskedExchange?
        /// When asking first failed in this process: it is given up two minutes later.
        var failingSince: Timestamp?
    }

    @Indirect private var content: Content

    init(_ content: Content) { self.content = content }

    subscript<Value>(dynamicMember member: KeyPath<Content, Value>) -> Value {
        _read { yield content[keyPath: member] }
    }

    subscript<Value>(dynamicMember member: WritableKeyPath<Content, Value>) -> Value {
        _read { yield content[keyPath: member] }
        _modify { yield &content[keyPath: member] }
    }

    var row: Int64 { content.id.rawValue }
    var dialog: ID<DialogRecord> { content.dialog }
    var portal: ID<PortalRecord> { content.portal }
    /// A greeting comes before all messages, a rating holds up none.
    var order: Int64 { content.event.kind == .reaction ? .max : content.event.messageID ?? 0 }
    var notBefore: Timestamp {
        get { content.notBefore }
        set { content.notBefore = newValue }
    }

    /// A person said something and waits for an answer.
    var isQuestion: Bool { content.event.kind == .message || content.event.kind == .command }

    var claim: AskClaim {
        AskClaim(
            event: content.id, kind: EventRecord.Kind(rawValue: content.event.kind.rawValue) ?? .message,
            edits: content.edits)
    }
}

extension PendingEvent {
    /// An event as the store has it.
    /// - Throws: `VaultError`, `EventDecodingError`, or ``UnreadableEvent``.
    init(_ record: EventRecord, bot: BotRecord, vault: Vault) throws {
        guard let sealed = record.sealedBody else { throw UnreadableEvent() }
        let body = try vault.open(sealed)
        let portalEvent = try PortalEvent(decoding: body, contentType: EventBody.contentType(of: body))
        guard case .bots(let events) = portalEvent.content,
            var event = events.first(where: { event in
                event.botID == bot.botID && (record.command == nil || event.command?.id == record.command)
            }) ?? events.first
        else { throw UnreadableEvent() }
        if let edit = record.sealedEdit { event.text = try vault.openSecret(edit).reveal() }
        var content = Content(
            id: record.id, dialog: record.dialogID, portal: record.portalID, bot: record.botID, event: event,
            auth: portalEvent.auth, receivedAt: record.receivedAt, notBefore: record.notBefore,
            edits: record.edits, attempts: record.attempts)
        content.wasAskedBefore = record.attempts > 0
        // What is joined to another has no outcome of its own.
        if record.state == .asking, record.joinedTo == nil {
            content.progress = .asked(at: record.askedAt ?? record.receivedAt, trace: record.trace)
        }
        self.init(content)
    }
}

/// A stored event that holds nothing for a bot.
struct UnreadableEvent: Error {}

enum EventBody {
    /// What a stored body is; only its own first byte tells.
    static func contentType(of body: [UInt8]) -> String {
        body.first == UInt8(ascii: "{") ? "application/json" : "application/x-www-form-urlencoded"
    }
}
