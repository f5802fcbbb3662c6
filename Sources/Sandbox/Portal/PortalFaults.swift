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
            /// 302 to another address, as after a change of the portal's domain.
            case moved(to: String)
        }
        public var kind: Kind
        /// The method that it hits, in any case of letters; `nil` for any.
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
            self.method = method
            self.times = times
            self.insideBatch = insideBatch
            self.probability = probability
        }
    }

    /// Adds a fault; of several that fit a call the oldest hits.
    public func inject(_ fault: Fault) { fatalError("skeleton") }

    /// Ends all faults.
    public func clearFaults() { fatalError("skeleton") }

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
    public func deliver(by plan: DeliveryPlan) { fatalError("skeleton") }
}
