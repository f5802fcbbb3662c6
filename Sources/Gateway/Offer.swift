import Base
import BotPlatforms
import Foundation
import Storage

/// What a dialog's last reply offered, as it waits in the store for the person's answer.
struct Offer: Codable, Sendable {
    var choices: Choices
    /// Which connector's bot offered it; another's would not know the values.
    var connector: Int64
    /// In milliseconds, as ``Timestamp/rawValue``.
    var until: Int64

    init(_ choices: Choices, connector: ID<ConnectorRecord>, until: Timestamp) {
        self.choices = choices
        self.connector = connector.rawValue
        self.until = until.rawValue
    }

    var json: String? { (try? JSONEncoder().encode(self)).map { String(decoding: $0, as: UTF8.self) } }

    /// `nil` unless `stored` is an offer that still holds.
    static func choices(_ stored: String?, connector: ID<ConnectorRecord>, now: Timestamp) -> Choices? {
        guard let stored, let offer = try? JSONDecoder().decode(Offer.self, from: Data(stored.utf8)),
            offer.connector == connector.rawValue, offer.until > now.rawValue
        else { return nil }
        return offer.choices
    }
}
