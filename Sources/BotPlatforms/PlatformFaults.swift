import Base
import Foundation

extension PlatformError {
    /// What an error on the way to a bot platform means for a question. Secrets, and the queries of links, are taken out.
    init(_ error: any Error, hiding secrets: [Secret]) {
        switch error {
        case let error as PlatformError: self = error
        case let error as DifyRefusal: self = error.error
        case let error as HTTPClientError: self.init(error)
        default: self.init(.uncertain, "The answer could not be read: \(error)")
        }
        for secret in secrets where !secret.isEmpty {
            message = message.replacingOccurrences(of: secret.reveal(), with: secret.masked)
        }
        if message.utf8.count > 16_384 { message = message.prefix(8_192) + "…" }
        // A link's query may be a signature or a token.
        message = message.replacing(/(https?:[^\s?"'<>]*)\?[^\s"'<>]+/) { "\($0.1)?…" }
        // What is to be done about it stands at the end.
        if message.count > 500 { message = "\(message.prefix(280)) … \(message.suffix(200))" }
    }

    private init(_ error: HTTPClientError) {
        let kind: Kind =
            switch error {
            case _ where error.mayHaveArrived: .uncertain
            case .invalidURL, .invalidHeader, .schemeNotAllowed, .addressNotAllowed: .final
            default: .passing
            }
        switch error {
        case .invalidURL: self.init(kind, "The address of the provider or connector is not a URL.")
        case .invalidHeader(let name):
            self.init(kind, "The field \(name) cannot be sent: is there a line end in the key?")
        case .schemeNotAllowed(let scheme): self.init(kind, "The address must begin with http or https, not \(scheme).")
        case .addressNotAllowed(let host):
            self.init(kind, "\(host) is a private address, which this connector may not use.")
        case .cannotResolve(let host): self.init(kind, "The name \(host) is not known.")
        case .cannotConnect(let host): self.init(kind, "\(host) cannot be reached.")
        case .connectTimeout(let host): self.init(kind, "\(host) did not accept the connection in time.")
        case .answerTimeout(let host): self.init(kind, "\(host) did not answer in time.")
        case .connectionLost(let host, let reason):
            self.init(kind, "The connection to \(host) broke before the answer was whole: \(reason)")
        case .tls(let host, let reason): self.init(kind, "No secure connection to \(host): \(reason)")
        case .tooLarge: self.init(kind, "The answer is too large.")
        }
    }
}
