import Base
import Storage

/// What the administrator reads when an event came with a wrong application token: a stranger's, or the application was
/// installed anew without our hearing of it. Anybody can send such an event, so nothing else changes by it.
public enum WrongTokenNotice {
    private static let beginning = "An event with a wrong application token came"
    /// Of a version that took the installation out of use as well.
    private static let former = "An event came with an unknown application token"

    public static func text(at moment: Timestamp) -> String {
        "\(beginning) at \(moment.iso8601). If events no longer arrive, open the application in Bitrix24 once"
    }

    /// Whether this is what the installation's notice says.
    public static func isShown(by installation: InstallationRecord) -> Bool {
        guard let notice = installation.notice else { return false }
        return switch installation.status {
        case .active: notice.hasPrefix(beginning)
        case .reauthorize: notice.hasPrefix(former)
        case .uninstalled, .denied: false
        }
    }
}
