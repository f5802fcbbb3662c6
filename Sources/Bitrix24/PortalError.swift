import Base

/// Why a call did not succeed.
public struct PortalError: Error, Sendable, Equatable, CustomStringConvertible {
    public enum Kind: Sendable, Equatable {
        /// An answer of Bitrix24 with an error code (`ACCESS_DENIED`), as sent.
        case refused(code: String, status: Int)
        /// No answer that could be read.
        case unreachable(HTTPClientError)
        /// Something answered that is not Bitrix24 (a proxy's page, say).
        case notBitrix24(status: Int)
        /// No credential of the installation is accepted any more.
        case noCredential
    }
    public var kind: Kind
    /// For the administrator: Bitrix24's description or ours; never holds a token.
    public var message: String
    /// Worth trying again later.
    public var isPassing: Bool
    /// How long to wait before that, where the portal said so.
    public var retryAfter: Duration?
    /// Whether the call may have been carried out all the same.
    public var mayHaveHappened: Bool
    /// The installation as a whole is not let in, until its administrator does something: other calls fail as well, and
    /// work is worth keeping.
    public var concernsInstallation = false

    /// Bitrix24's error code, if it gave one.
    public var code: String? { if case .refused(let code, _) = kind { code } else { nil } }
    public var description: String { message }

    public init(
        _ kind: Kind, message: String, isPassing: Bool, retryAfter: Duration? = nil, mayHaveHappened: Bool = false
    ) {
        self.kind = kind
        self.message = message
        self.isPassing = isPassing
        self.retryAfter = retryAfter
        self.mayHaveHappened = mayHaveHappened
    }
}

extension PortalError {
    /// An answer with an error code.
    static func refused(
        _ code: String, status: Int, description: String?, retryAfter: Duration? = nil
    ) -> PortalError {
        let meaning = CodeTable.meaning(of: code, status: status)
        let text = description?.cutBetweenWords(at: 300) ?? ""
        var error = PortalError(
            .refused(code: code, status: status), message: text.isEmpty ? code : "\(code): \(text)",
            isPassing: meaning.isPassing, retryAfter: retryAfter ?? meaning.retryAfter,
            // Inside a batch the status is the batch's: there a fault of the server is known by its code alone.
            mayHaveHappened: meaning == .passing && status != 429)
        if case .closed = meaning { error.concernsInstallation = true }
        return error
    }

    static func unreachable(_ error: HTTPClientError) -> PortalError {
        let (reason, isPassing) =
            switch error {
            case .invalidURL: ("the portal's address is no URL", false)
            case .invalidHeader(let name): ("the header \(name) cannot be sent", false)
            case .schemeNotAllowed(let scheme): ("the portal's address has the scheme \(scheme)", false)
            case .addressNotAllowed(let host): ("\(host) is an address in a private network", false)
            case .cannotResolve(let host): ("\(host) cannot be resolved", true)
            case .cannotConnect(let host): ("\(host) cannot be connected to", true)
            case .connectTimeout(let host): ("\(host) did not take the connection in time", true)
            case .answerTimeout(let host): ("\(host) did not answer in time", true)
            case .connectionLost(let host, let reason): ("the connection to \(host) broke: \(reason)", true)
            case .tls(let host, let reason): ("no secure connection to \(host): \(reason)", true)
            case .tooLarge: ("the answer is too large", false)
            }
        return PortalError(
            .unreachable(error), message: reason, isPassing: isPassing, mayHaveHappened: error.mayHaveArrived)
    }

    /// No JSON, or JSON that is no answer of a REST call.
    static func notBitrix24(status: Int, retryAfter: Duration? = nil) -> PortalError {
        PortalError(
            .notBitrix24(status: status), message: "the answer (status \(status)) is not Bitrix24's",
            isPassing: status >= 500 || status == 429 || status == 408, retryAfter: retryAfter,
            mayHaveHappened: status >= 500 || status < 300)
    }

    static func noCredential(_ message: String, isPassing: Bool = false) -> PortalError {
        var error = PortalError(.noCredential, message: message, isPassing: isPassing)
        error.concernsInstallation = !isPassing
        return error
    }
}
