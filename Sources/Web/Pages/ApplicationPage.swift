import Base
import Gateway
import Storage

/// The pages that Bitrix24 shows in a frame, as HTML: the application, the installer, and what is said instead of them.
///
/// Each is a file with `{{start}}` in it, which becomes what its script begins with.
enum ApplicationPage {
    /// What the application page begins with: who has opened it, where, and the token for the management API.
    struct Start: Sendable {
        var visit: Installer.Visit
        var app: AppRecord
        var domain: String
        var language: String
        var ticket: Secret
        var expiresAt: Timestamp
    }

    static func application(_ start: Start) -> String {
        filled(
            "application/index.html",
            [
                "token": .string(start.ticket.reveal()), "expires_at": JSON(start.expiresAt),
                "role": start.visit.user.isAdministrator ? "portal_admin" : "portal_user",
                "portal_id": JSON(start.visit.installation.portalID), "domain": .string(start.domain),
                "installation_id": JSON(start.visit.installation.id), "app_name": .string(start.app.name),
                "language": .string(start.language), "user_name": .string(start.visit.user.name),
            ])
    }

    /// Tells Bitrix24 that the installer is done (`BX24.installFinish`), which reloads the frame.
    static func installed(language: String) -> String {
        filled("application/installer.html", ["language": .string(language)])
    }

    /// What a person is told where there is nothing to set up.
    enum Notice: Sendable {
        /// The application renewed its permission, and has no page.
        case connected(app: String)
        /// Opened outside of Bitrix24.
        case elsewhere
        case refused(Installer.Refusal)

        var word: String {
            switch self {
            case .connected: "connected"
            case .elsewhere: "elsewhere"
            case .refused(.waitingForKeys): "waiting_for_keys"
            case .refused(.notConfirmed): "not_confirmed"
            case .refused(.busy): "busy"
            case .refused(.unreachable): "unreachable"
            }
        }
    }

    static func notice(_ notice: Notice, language: String?) -> String {
        var start: Members<JSON> = ["notice": .string(notice.word), "language": JSON(language)]
        if case .connected(let app) = notice { start["app_name"] = .string(app) }
        return filled("application/notice.html", .object(start))
    }

    /// `ru` for those whom Bitrix24 shows Russian, else `en`.
    static func language(_ bitrix24: String?) -> String { bitrix24?.lowercased() == "ru" ? "ru" : "en" }

    private static func filled(_ page: String, _ start: JSON) -> String {
        // In a script element only these could end it, or begin another.
        let text = start.text.replacing("<", with: "\\u003c").replacing(">", with: "\\u003e")
            .replacing("&", with: "\\u0026")
        return PageFiles.all.html(page).replacing("{{start}}", with: text)
    }
}
