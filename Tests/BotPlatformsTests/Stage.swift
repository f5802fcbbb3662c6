import Base
import Foundation
import Sandbox
import Synchronization
import TestSupport

@testable import BotPlatforms

/// What all tests of this room share: loops, a client, and short ways to ask and to listen.
enum Stage {
    static let loops = EventLoopGroup(count: 2)
    static let http = HTTPClient(loops: loops)
    static let key = Secret("app-s3cret-0123456789")

    /// Patient where a test should pass and quick where one waits for a limit.
    static let timing: DifyTiming = {
        var timing = DifyTiming()
        timing.pause = .milliseconds(20)
        timing.arrival = .milliseconds(200)
        return timing
    }()

    static func chatflow(
        _ url: String, key: Secret? = key, timing: DifyTiming = timing, clock: WallClock = .system
    ) -> DifyChat {
        DifyChat(.chatflow, configuration(url, key: key, clock: clock), timing: timing)
    }

    static func chat(_ url: String, _ kind: DifyKind = .chat) -> DifyChat {
        DifyChat(kind, configuration(url), timing: timing)
    }

    static func workflow(_ url: String, _ options: JSON = [:], timing: DifyTiming = timing) -> DifyWorkflow {
        DifyWorkflow(configuration(url, options: options), timing: timing)
    }

    static func completion(_ url: String) -> DifyCompletion { DifyCompletion(configuration(url), timing: timing) }

    static func configuration(
        _ url: String, key: Secret? = key, options: JSON = [:], clock: WallClock = .system
    ) -> PlatformConfiguration {
        PlatformConfiguration(
            url: url, key: key, options: options, trust: .privateAllowed, http: http, clock: clock, log: .silent)
    }

    /// Holds what is said with a simulated Dify to the contract, in suites that are marked so.
    static var watch: PlatformWatch? {
        ContractWatch.dify.map { PlatformWatch(exchange: $0.exchange, event: $0.event) }
    }

    /// A simulated Dify with one app.
    static func dify(
        form: [SimulatedDify.App.Field] = [], settings: SimulatedDify.Settings = .init(),
        script: @escaping SimulatedDify.Script
    ) async throws -> SimulatedDify {
        let app = SimulatedDify.App(key: key, form: form, script: script)
        var settings = settings
        settings.watch = watch
        return try await SimulatedDify.start(apps: [app], settings: settings, loops: loops, log: .silent)
    }

    static func question(
        _ text: String, user: String = "member:chat7", variables: Members<String> = [:],
        tokens: Members<Secret> = [:], session: PlatformSession? = nil
    ) -> Question {
        Question(kind: .message, text: text, user: user, variables: variables, tokens: tokens, session: session)
    }
}

/// What an asker heard.
struct Heard: Sendable {
    var parts: [ReplyPart] = []
    var error: PlatformError?

    /// The answer as a person reads it.
    var text: String {
        parts.reduce(into: "") { text, part in
            switch part {
            case .text(let more): text += more
            case .replaceText(let all): text = all
            default: break
            }
        }
    }

    var traces: [AskTrace] { parts.compactMap { if case .trace(let trace) = $0 { trace } else { nil } } }
    var session: PlatformSession? { parts.compactMap { if case .session(let it) = $0 { it } else { nil } }.last }
    var files: [ReplyPart] { parts.filter { if case .file = $0 { true } else { false } } }
}

extension BotPlatform {
    func hear(_ question: Question) async throws -> Heard {
        var heard = Heard()
        do {
            for try await part in reply(to: question) { heard.parts.append(part) }
        } catch let error as PlatformError {
            heard.error = error
        }
        return heard
    }
}

extension AskOutcome {
    /// The answer's parts, if it is one.
    var heard: Heard? { if case .answered(let parts) = self { Heard(parts: parts) } else { nil } }
    var failure: PlatformError? { if case .failed(let error) = self { error } else { nil } }
    var isNeverArrived: Bool { if case .neverArrived = self { true } else { false } }
}

/// A time of day that a test sets.
final class SetClock: Sendable {
    private let time = Mutex(WallClock.system.now)
    var clock: WallClock { WallClock { self.time.withLock { $0 } } }
    func advance(_ duration: Duration) { time.withLock { $0 = $0 + duration } }
}

/// Something that has happened, or not yet.
final class Flag: Sendable {
    private let state = Mutex(false)
    var isSet: Bool { state.withLock { $0 } }
    func set() { state.withLock { $0 = true } }
}

/// A value that a server's script leaves for a test.
final class Box<Value: Sendable>: Sendable {
    private let state: Mutex<Value>
    init(_ value: Value) { state = Mutex(value) }
    var value: Value {
        get { state.withLock { $0 } }
        set { state.withLock { $0 = newValue } }
    }
}
