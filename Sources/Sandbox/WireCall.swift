import Base

/// One exchange over the wire, as the sandbox's page shows it.
public struct WireCall: Sendable {
    public enum Kind: String, Sendable {
        /// The portal posted an event.
        case event
        /// An application called the portal's REST.
        case rest
        /// A bot platform was asked.
        case platform
    }
    public var kind: Kind
    public var method: String
    /// The path, REST method or event name.
    public var target: String
    public var time: Timestamp
    /// `nil` if there was no answer.
    public var status: Int?
    /// Until the answer's header; `nil` if it was not measured.
    public var duration: Duration?
    public var parameters: JSON
    /// The code of an error in the answer.
    public var error: String?
    /// Which platform was asked, by name.
    public var platform: String?

    public init(
        kind: Kind, method: String, target: String, time: Timestamp, status: Int?, duration: Duration? = nil,
        parameters: JSON, error: String? = nil
    ) {
        self.kind = kind
        self.method = method
        self.target = target
        self.time = time
        self.status = status
        self.duration = duration
        self.parameters = parameters
        self.error = error
    }
}

extension JSON {
    /// The same with every secret masked: members whose name speaks of a token, key, secret or password, and the random
    /// end of an address that events are sent to.
    var withoutSecrets: JSON {
        switch self {
        case .object(let members):
            .object(
                Members(
                    members.map { name, value in
                        guard let text = value.string, !text.isEmpty else { return (name, value.withoutSecrets) }
                        if namesSecret(name) { return (name, .string(Secret(text).masked)) }
                        return (name, namesHandler(name) ? .string(maskedAddress(text)) : value)
                    }))
        case .array(let elements): .array(elements.map(\.withoutSecrets))
        default: self
        }
    }
}

private func namesHandler(_ name: String) -> Bool {
    let name = name.lowercased()
    return ["webhookurl", "handler", "event_"].contains { name.contains($0) }
}

private func maskedAddress(_ text: String) -> String {
    guard text.contains("://"), let slash = text.lastIndex(of: "/") else { return text }
    let end = text[text.index(after: slash)...]
    return end.count < 12 ? text : text[...slash] + Secret(String(end)).masked
}

private func namesSecret(_ name: String) -> Bool {
    let name = name.lowercased()
    return name == "auth"
        || ["token", "secret", "password", "api_key", "refresh_id", "auth_id"].contains {
            name.contains($0)
        }
}

extension WireCall {
    func of(_ platform: String) -> WireCall {
        var call = self
        call.platform = platform
        return call
    }

    init(_ call: SimulatedPortal.Call) {
        self.init(
            kind: .rest, method: call.isInsideBatch ? "batch" : "POST", target: call.method, time: call.time,
            status: call.status, duration: call.duration, parameters: call.parameters, error: call.error)
    }

    init(_ delivery: SimulatedPortal.Delivery) {
        self.init(
            kind: .event, method: "POST", target: delivery.event, time: delivery.time, status: delivery.status,
            duration: delivery.duration, parameters: delivery.data)
    }

    /// As the page reads it.
    func json(number: Int) -> JSON {
        [
            "number": .integer(Int64(number)), "kind": .string(kind.rawValue), "method": .string(method),
            "target": .string(target),
            "time": .integer(time.rawValue), "status": status.map { .integer(Int64($0)) } ?? .null,
            "ms": duration.map { .number(Double($0 / .microseconds(1)) / 1000) } ?? .null,
            "error": error.map(JSON.string) ?? .null, "parameters": parameters,
            "platform": platform.map(JSON.string) ?? .null,
        ]
    }
}
