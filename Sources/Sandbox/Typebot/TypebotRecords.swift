import Base

/// What the simulated Typebot remembers, within bounds.
struct TypebotRecords: Sendable {
    struct Session: Sendable {
        var state: TypebotState
        var isExpired = false
    }

    /// Where a file may be put.
    struct Ticket: Sendable {
        var url: String
        var type: String
        var megabytes: Int
    }

    /// By key, the oldest first; the oldest goes when there is no more room.
    struct Line<Value: Sendable>: Sendable {
        let bound: Int
        private(set) var keys: [String] = []
        private var values: [String: Value] = [:]

        init(bound: Int) { self.bound = bound }

        subscript(key: String) -> Value? {
            get { values[key] }
            set {
                let isKnown = values[key] != nil
                values[key] = newValue
                if newValue == nil {
                    if isKnown { keys.removeAll { $0 == key } }
                } else if !isKnown {
                    keys.append(key)
                    if keys.count > bound { values[keys.removeFirst()] = nil }
                }
            }
        }

        mutating func removeAll() {
            keys = []
            values = [:]
        }

        mutating func changeAll(_ change: (inout Value) -> Void) {
            values = values.mapValues { value in
                var value = value
                change(&value)
                return value
            }
        }
    }

    var flows: [String: SimulatedTypebot.Flow] = [:]
    var sessions: Line<Session>
    /// Variables of results, for flows that remember their users.
    var results: Line<Members<JSON>>
    var tickets: Line<Ticket>
    var uploads: [SimulatedTypebot.Upload] = []
    var faults: [(route: SimulatedTypebot.Route?, fault: SimulatedTypebot.Fault)] = []
    var counts = SimulatedTypebot.Counts()

    init(flows: [SimulatedTypebot.Flow], settings: SimulatedTypebot.Settings) {
        sessions = Line(bound: settings.sessions)
        results = Line(bound: settings.sessions)
        tickets = Line(bound: settings.uploads)
        for flow in flows { self.flows[flow.publicID] = flow }
    }

    /// Counts a request and takes the fault that is meant for it.
    mutating func meet(_ route: SimulatedTypebot.Route) -> SimulatedTypebot.Fault? {
        counts.requests[route, default: 0] += 1
        guard let index = faults.firstIndex(where: { $0.route == nil || $0.route == route }) else { return nil }
        return faults.remove(at: index).fault
    }

    mutating func keep(_ upload: SimulatedTypebot.Upload, bound: Int) {
        uploads.append(upload)
        if uploads.count > bound { uploads.removeFirst() }
    }
}
