public enum HTTPClientError: Error, Sendable, Equatable {
    case invalidURL
    /// A field whose name or value cannot be sent, such as a key with a line end in it; the field's name.
    case invalidHeader(String)
    /// Not http or https.
    case schemeNotAllowed(String)
    /// The guard against private addresses refused; the host's name, never the URL.
    case addressNotAllowed(host: String)
    case cannotResolve(host: String)
    case cannotConnect(host: String)
    case connectTimeout(host: String)
    /// Sent, or partly sent, and nothing came back in time.
    case answerTimeout(host: String)
    /// The connection broke; the request may have arrived.
    case connectionLost(host: String, reason: String)
    case tls(host: String, reason: String)
    case tooLarge

    /// Whether the request can have reached the other side.
    public var mayHaveArrived: Bool {
        switch self {
        case .answerTimeout, .connectionLost, .tooLarge: true
        default: false
        }
    }
}
