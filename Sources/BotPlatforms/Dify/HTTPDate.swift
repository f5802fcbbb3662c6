import Base
import Foundation

extension Timestamp {
    /// Reads an HTTP date of the form in use, `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110, 5.6.7).
    init?(httpDate text: String) {
        let parts = text.split(separator: " ")
        guard parts.count == 6, let day = Int(parts[1]), let year = Int(parts[3]),
            let month = Self.months.firstIndex(of: parts[2])
        else { return nil }
        let time = parts[4].split(separator: ":").compactMap { Int($0) }
        guard time.count == 3, (0..<24).contains(time[0]), (0..<60).contains(time[1]), (0...60).contains(time[2]),
            (1...31).contains(day), (1970...9999).contains(year)
        else { return nil }
        // Days since 1970 in the Gregorian calendar, counting years from March.
        let fromMarch = (month + 10) % 12
        let years = fromMarch >= 10 ? year - 1 : year
        let days = 365 * years + years / 4 - years / 100 + years / 400 + (153 * fromMarch + 2) / 5 + day - 1 - 719_468
        self.init(rawValue: Int64(days * 86_400 + time[0] * 3600 + time[1] * 60 + time[2]) * 1000)
    }

    private static let months: [Substring] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]
}
