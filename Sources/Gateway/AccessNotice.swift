import Bitrix24
import Storage

/// What an administrator is told when Bitrix24 lets an installation in no more.
///
/// Documentation: `_includes/system-errors.md`, `settings/oauth/error-codes.md`.
enum AccessNotice {
    private static let webhook =
        "Bitrix24 does not take the webhook's code: make a new inbound webhook there and paste its address."
    private static let tokens =
        "Bitrix24 takes none of the stored tokens: open the application in the portal as an administrator."

    /// The status that shows it, and what to do about it in plain words.
    static func of(
        _ error: PortalError, kind: InstallationRecord.Kind
    ) -> (status: InstallationRecord.Status, notice: String) {
        let code = error.code?.uppercased() ?? ""
        let (status, remedy): (InstallationRecord.Status, String) =
            if let remedy = remedies[code] {
                (.denied, remedy)
            } else {
                (.reauthorize, kind == .webhook ? webhook : tokens)
            }
        return (status, "\(remedy) What waits for it is kept for a day. Bitrix24 says: \(error.message)")
    }

    /// Whether a success shows that what the installation's status says is over.
    static func endsWithSuccess(_ installation: InstallationRecord) -> Bool {
        switch installation.status {
        case .denied: true
        case .reauthorize: [webhook, tokens].contains { installation.notice?.hasPrefix($0) == true }
        case .active, .uninstalled: false
        }
    }

    private static let remedies = [
        "ACCESS_DENIED": "Bitrix24 has closed REST to this portal: it is part of its commercial plans, renew the plan.",
        "PAYMENT_REQUIRED": "The trial or the paid time of the application is over: renew it in Bitrix24.",
        "PORTAL_DELETED": "The portal is deleted, or its public part is closed: open it again in Bitrix24.",
        "OVERLOAD_LIMIT": "Bitrix24 has blocked REST for this portal because of overload: ask Bitrix24's support.",
        "NOT_INSTALLED": notInstalled, "APPLICATION_NOT_FOUND": notInstalled, "INVALID_CLIENT": notInstalled,
        "WRONG_CLIENT": notInstalled,
        "USER_ACCESS_ERROR":
            "The portal's administrator lets only some users use the application: allow it to who installed it, or open the application as a user who may.",
        "INVALID_CREDENTIALS":
            "The user who connected the portal may not use chat-bots: give that user the right, or connect it as an administrator.",
        "INSUFFICIENT_SCOPE": missingScope, "INVALID_SCOPE": missingScope,
    ]
    private static let notInstalled =
        "Bitrix24 does not know the application on this portal: install it again, and compare its client_id and client_secret."
    private static let missingScope =
        "The right imbot (chat-bots) is missing: add it to the rights of the application or webhook in Bitrix24."
}
