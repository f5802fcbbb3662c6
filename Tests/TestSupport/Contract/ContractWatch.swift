import Base
import Synchronization
import Testing

/// Listens to what is said between a client and a simulated platform, and notes what breaks the platform's contract.
///
/// A suite with the trait `.keepsContracts` has a watch for each platform during each of its tests, and fails where
/// something was noted.
public final class ContractWatch: Sendable {
    /// The watches of the running test.
    @TaskLocal public static var dify: ContractWatch?
    @TaskLocal public static var typebot: ContractWatch?

    private struct Noted {
        var requests: [String] = []
        var answers: [String] = []
    }

    private let contract: Contract
    private let noted = Mutex(Noted())

    public init(_ contract: Contract) { self.contract = contract }

    /// What broke the contract so far, on either side.
    public var violations: [String] { noted.withLock { $0.requests + $0.answers } }
    public var requestViolations: [String] { noted.withLock { $0.requests } }
    public var answerViolations: [String] { noted.withLock { $0.answers } }

    /// A request and its answer. Of an answer in pieces only the request is checked; ``event(_:_:)`` sees its events.
    public func exchange(_ request: HTTPRequest, _ response: HTTPResponse) {
        self.request(request)
        guard case .bytes(let bytes) = response.body else { return }
        // `JSON` has a `nil` of its own, which is no missing body.
        let body = bytes.isEmpty ? JSON?.none : (try? JSON(parsing: bytes)) ?? "no JSON"
        let found = contract.checkAnswer(
            method: request.method.rawValue, path: request.path, status: response.status, body: body)
        note { $0.answers += found }
    }

    /// A request alone, to a server whose answers are odd on purpose.
    public func request(_ request: HTTPRequest) {
        let type = String((request.headers["Content-Type"] ?? "").lowercased().prefix { $0 != ";" })
        let found = contract.checkRequest(
            method: request.method.rawValue, path: request.path,
            query: (try? Form.decode(request.query.utf8)) ?? [:], type: type, body: body(of: request, type: type))
        note { $0.requests += found }
    }

    /// One event of a stream: its JSON, and the route that the app is asked by.
    public func event(_ path: String, _ bytes: [UInt8]) {
        let found = (try? JSON(parsing: bytes)).map { contract.checkEvent(path: path, $0) } ?? ["\(path): no JSON"]
        note { $0.answers += found }
    }

    private func note(_ change: (inout Noted) -> Void) {
        noted.withLock { noted in
            change(&noted)
            // A long run that breaks it everywhere says so often enough.
            noted.requests = Array(noted.requests.prefix(100))
            noted.answers = Array(noted.answers.prefix(100))
        }
    }

    private func body(of request: HTTPRequest, type: String) -> JSON? {
        if request.body.isEmpty { return nil }
        guard type == "multipart/form-data" else { return (try? JSON(parsing: request.body)) ?? "no JSON" }
        let parts = (try? Multipart.decode(request.body, contentType: request.headers["Content-Type"] ?? "")) ?? []
        return .object(
            Members(
                parts.reversed().map { ($0.name, .string($0.filename ?? String(decoding: $0.body, as: UTF8.self))) }))
    }
}

/// Holds each test of a suite to the contracts of the bot platforms that it speaks to.
public struct KeepsContracts: SuiteTrait, TestTrait, TestScoping {
    public var isRecursive: Bool { true }

    // `Testing` does not know the feature that lets functions run where their caller does; its closures must match.
    @concurrent
    public func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @concurrent @Sendable () async throws -> Void
    ) async throws {
        guard testCase != nil else { return try await function() }
        let dify = ContractWatch(.dify)
        let typebot = ContractWatch(.typebot)
        try await ContractWatch.$dify.withValue(dify) {
            try await ContractWatch.$typebot.withValue(typebot) { try await function() }
        }
        for violation in dify.violations + typebot.violations {
            Issue.record("breaks the contract: \(violation)")
        }
    }
}

extension Trait where Self == KeepsContracts {
    /// Fails a test during which a request or an answer broke a platform's contract.
    public static var keepsContracts: Self { Self() }
}
