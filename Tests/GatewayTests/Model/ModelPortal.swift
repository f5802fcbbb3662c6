import Base
import Synchronization

/// The portal of a model: shows what the bot says, each UUID once, as Bitrix24 does; is away at times, and loses answers.
final class ModelPortal: Sendable {
    private struct State {
        var chance: Chance
        var known: Set<String> = []
        var shown: [String: [String]] = [:]
    }
    private let state: Mutex<State>

    init(seed: UInt64) { state = Mutex(State(chance: Chance(seed: seed))) }

    /// What is shown in a dialog.
    func shown(in dialog: String) -> [String] { state.withLock { $0.shown[dialog] ?? [] } }

    private struct Broken: Error {}

    func answer(_ request: HTTPRequest) throws -> HTTPResponse {
        guard request.path.hasSuffix("imbot.v2.Chat.Message.send") else { return Self.done }
        let body = try JSON(parsing: request.body)
        let isLost = try state.withLock { state in
            let dice = Double.random(in: 0..<1, using: &state.chance)
            if dice < 0.03 { throw HTTPError(503, "Away") }
            guard state.known.insert(body["fields"]?["templateId"]?.string ?? "").inserted else { return dice < 0.06 }
            state.shown[body["dialogId"]?.string ?? "", default: []].append(body["fields"]?["message"]?.string ?? "")
            return dice < 0.06
        }
        return isLost ? HTTPResponse(status: 200, body: .stream { _ in throw Broken() }) : Self.done
    }

    private static let done = HTTPResponse(
        status: 200, headers: ["Content-Type": "application/json"],
        body: .bytes(JSON.object(["result": ["id": 1, "messageId": 2], "time": [:]]).bytes))
}
