import Base
import Bitrix24
import Storage

/// A command that somebody gave by a button or in a menu of a message.
///
/// All that is pressed on a message names that message, so a press is known by what was pressed, by whom and when. An event's
/// `ts` is documented as the moment at which it was sent, which a copy need not share: presses that differ in nothing and are
/// only seconds apart count as one.
struct Press {
    let knownAs: String
    /// Between which identities the same press lies where it was taken before; `nil`: its moment is not told.
    let again: (first: String, end: String)?

    /// In seconds.
    private static let apart: Int64 = 10

    /// - Returns: `nil` if it is none.
    init?(_ event: BotEvent, on messageID: Int64, at moment: Timestamp?, bot: BotRecord) {
        guard let command = event.command, command.isPressed else { return nil }
        let person = event.user.id ?? event.authorID ?? ""
        // With the bot's secret address in it nobody can guess the parameters from what stays in the store.
        let params = Vault.fingerprint(bot.addressKey + "\n" + command.params)
        let press = "press:\(bot.id):\(messageID):\(command.id):\(person):\(params):"
        guard let moment else {
            (knownAs, again) = (press, nil)
            return
        }
        // Of the same length, so that they are in order as texts too.
        func identity(_ seconds: Int64) -> String { press + "\(100_000_000_000 + seconds)" }
        let seconds = moment.rawValue / 1000
        knownAs = identity(seconds)
        again = (identity(seconds - Self.apart), identity(seconds + Self.apart + 1))
    }
}
