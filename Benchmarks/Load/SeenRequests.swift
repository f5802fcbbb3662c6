import Base
import Sandbox
import Synchronization

/// The last requests of a message's way, to be sent again through the floor.
final class SeenRequests: Sendable {
    struct Way: Sendable {
        var event: SimulatedPortal.Posted?
        var question: WireCall?
        var reply: SimulatedPortal.Posted?
    }

    private struct State {
        var last = Way()
        /// Whose requests are kept.
        var memberID: String?
    }

    private let state = Mutex(State())
    private let isLooking = Atomic(false)

    var way: Way { state.withLock { $0.last } }

    func look(at portal: SimulatedPortal?) {
        state.withLock { $0.memberID = portal?.settings.memberID }
        isLooking.store(portal != nil, ordering: .relaxed)
    }

    func note(_ posted: SimulatedPortal.Posted, of memberID: String) {
        guard isLooking.load(ordering: .relaxed) else { return }
        state.withLock { state in
            guard state.memberID == memberID else { return }
            switch posted.kind {
            case .event: state.last.event = posted
            case .rest where Self.isReply(posted.body): state.last.reply = posted
            case .rest: break
            }
        }
    }

    func note(_ call: WireCall) {
        guard isLooking.load(ordering: .relaxed), call.method == "POST" else { return }
        state.withLock { $0.last.question = call }
    }

    /// A batch writes the space in its own way, and is no reply of one message.
    private static func isReply(_ body: [UInt8]) -> Bool {
        String(decoding: body, as: UTF8.self).contains(SimulatedBot.echo)
    }
}
