import Base

extension SimulatedPortal {
    /// Something that goes wrong with REST calls.
    public struct Fault: Sendable {
        public enum Kind: Sendable {
            /// 503 `QUERY_LIMIT_EXCEEDED`.
            case queryLimit
            /// 429 `OPERATION_TIME_LIMIT`.
            case operationTimeLimit
            /// 401 `expired_token`.
            case expiredToken
            /// 500 `INTERNAL_SERVER_ERROR`.
            case internalError
            case error(status: Int, code: String, description: String)
            /// An answer that is no JSON: a proxy's page with this status.
            case page(status: Int)
            /// No answer for this long, then the call is done.
            case slow(Duration)
            /// Nothing is done and nothing is answered until the caller gives up.
            case hang
            /// Nothing is done, the connection breaks.
            case connectionLost
            /// The call is done, the connection breaks instead of an answer.
            case answerLost
            /// 302 to another origin (`http://host:port`), as after a change of the portal's domain.
            case moved(to: String)
        }
        public var kind: Kind
        /// The method that it hits, in any case of letters (`batch` is one); `nil` for any.
        public var method: String?
        /// How many calls it hits before it is over; `nil` for ever.
        public var times: Int?
        /// Hits a command inside a batch instead of a whole request (the kinds that are errors only).
        public var insideBatch: Bool
        /// Share of the calls that it hits.
        public var probability: Double

        public init(
            _ kind: Kind, method: String? = nil, times: Int? = 1, insideBatch: Bool = false, probability: Double = 1
        ) {
            self.kind = kind
            self.method = method?.lowercased()
            self.times = times
            self.insideBatch = insideBatch
            self.probability = probability
        }

        /// The error that it answers, for the kinds that are one.
        var error: RESTError? {
            switch kind {
            case .queryLimit: .queryLimit
            case .operationTimeLimit: .operationTimeLimit
            case .expiredToken: .expiredToken
            case .internalError: .internalServer
            case .error(let status, let code, let description): RESTError(status, code, description)
            default: nil
            }
        }
    }

    /// Adds a fault; of several that fit a call the oldest hits.
    public func inject(_ fault: Fault) { state.withLock { $0.faults.append(fault) } }

    /// Ends all faults.
    public func clearFaults() { state.withLock { $0.faults = [] } }

    /// How events are posted. Documentation: no order and no single delivery is promised, nothing is ever repeated
    /// (`api-reference/events/index.md`).
    public struct DeliveryPlan: Sendable {
        /// How often each event is posted.
        public var copies = 1
        /// Waits so long, at random, before each post, and keeps no order; `nil` keeps the order within a chat.
        public var disorder: Duration?
        /// Second generation events as JSON instead of a form.
        public var jsonForSecondGeneration = false
        /// Share of events that are lost.
        public var lost: Double = 0
        /// A slash command is posted as a message too.
        public var commandsAsMessagesToo = false
        /// How long a handler may take.
        public var timeout: Duration = .seconds(30)
        public init() {}
    }

    /// Sets how events are posted from now on.
    public func deliver(by plan: DeliveryPlan) { state.withLock { $0.plan = plan } }

    /// The answer that a fault makes; `nil` if the call is to be done all the same.
    func suffer(_ fault: Fault, _ request: HTTPRequest) async throws -> HTTPResponse? {
        switch fault.kind {
        case .page(let status):
            return .text("<html><body><h1>\(status)</h1></body></html>", status: status, type: "text/html")
        case .slow(let duration):
            try await Task.sleep(for: duration)
            return nil
        case .hang:
            try await Task.sleep(for: .seconds(3600))
            return .broken
        case .connectionLost: return .broken
        case .answerLost: return nil
        case .moved(let origin):
            let query = request.query.isEmpty ? "" : "?" + request.query
            return HTTPResponse(status: 302, headers: ["Location": origin + request.path + query])
        case .queryLimit, .operationTimeLimit, .expiredToken, .internalError, .error:
            return fault.error.map { .json($0.json, status: $0.status) }
        }
    }
}

extension PortalState {
    /// The fault that hits a call, if one does; it is used up by it.
    mutating func takeFault(for method: String, insideBatch: Bool) -> SimulatedPortal.Fault? {
        guard !faults.isEmpty else { return nil }
        let index = faults.firstIndex { fault in
            fault.insideBatch == insideBatch && (fault.method ?? method) == method
                && (fault.probability >= 1 || Double.random(in: 0..<1) < fault.probability)
        }
        guard let index else { return nil }
        let fault = faults[index]
        if let times = fault.times {
            if times <= 1 { faults.remove(at: index) } else { faults[index].times = times - 1 }
        }
        return fault
    }
}
