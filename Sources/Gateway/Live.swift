import Base
import Bitrix24
import Storage
import Synchronization

/// Something that happens now.
public struct Happening: Sendable {
    public enum Kind: String, Sendable, CaseIterable {
        /// An event was taken.
        case event
        /// The bot's answer is stored.
        case answer
        /// The bot could not answer, or a message could not be delivered.
        case failure
        /// A message arrived in Bitrix24.
        case delivery
        /// The dialog went to an operator.
        case handover
    }
    public var at: Timestamp
    public var kind: Kind
    public var portal: ID<PortalRecord>
    public var bot: ID<BotRecord>
    public var dialog: ID<DialogRecord>
    /// What was said, at most 200 characters of it.
    public var text: String
    /// How long it took, where that can be said.
    public var took: Duration?

    static let longestText = 200

    init(
        _ kind: Kind, at moment: Timestamp, portal: ID<PortalRecord>, bot: ID<BotRecord>, dialog: ID<DialogRecord>,
        text: String, took: Duration? = nil
    ) {
        at = moment
        self.kind = kind
        self.portal = portal
        self.bot = bot
        self.dialog = dialog
        self.text = text.cut(to: Self.longestText)
        self.took = took
    }

    init(_ kind: Kind, _ item: PendingEvent, at moment: Timestamp, text: String, took: Duration? = nil) {
        self.init(
            kind, at: moment, portal: item.portal, bot: item.bot, dialog: item.dialog, text: text, took: took)
    }
}

/// Tells whoever listens what happens. While nobody does it costs a look at a number.
public final class Live: Sendable {
    private struct State {
        var listeners: [Int: Listener] = [:]
        var next = 0
        var isFinished = false
    }
    private struct Listener {
        var portal: ID<PortalRecord>?
        var stream: AsyncStream<Happening>.Continuation
    }
    /// What a slow listener has not taken yet; the newest are kept.
    private static let mostWaiting = 500

    private let state = Mutex(State())
    private let listening = Atomic(0)

    /// What happens from now on, until the server stops.
    /// - Parameter portal: on this portal only.
    public func happenings(on portal: ID<PortalRecord>? = nil) -> AsyncStream<Happening> {
        AsyncStream(bufferingPolicy: .bufferingNewest(Self.mostWaiting)) { stream in
            let number = state.withLock { state -> Int? in
                if state.isFinished { return nil }
                state.next += 1
                state.listeners[state.next] = Listener(portal: portal, stream: stream)
                return state.next
            }
            guard let number else { return stream.finish() }
            listening.add(1, ordering: .relaxed)
            stream.onTermination = { [weak self] _ in self?.leave(number) }
        }
    }

    func tell(_ happening: @autoclosure () -> Happening) {
        guard listening.load(ordering: .relaxed) > 0 else { return }
        let happening = happening()
        let listeners = state.withLock { Array($0.listeners.values) }
        for listener in listeners where listener.portal == nil || listener.portal == happening.portal {
            listener.stream.yield(happening)
        }
    }

    /// Ends all streams: the server stops.
    public func finish() {
        let listeners = state.withLock { state in
            state.isFinished = true
            return Array(state.listeners.values)
        }
        for listener in listeners { listener.stream.finish() }
    }

    private func leave(_ number: Int) {
        guard state.withLock({ $0.listeners.removeValue(forKey: number) }) != nil else { return }
        listening.subtract(1, ordering: .relaxed)
    }
}

extension Delivery {
    /// What people read of it.
    var text: String {
        switch self {
        case .message(let message): message.text
        case .file(let file): file.name
        case .action, .withdrawal: ""
        }
    }
}

extension ChannelAction {
    var isHandOver: Bool { kind != .finish }
}
