import Base
import Foundation

/// When operators are there: `{"timezone": "Europe/Moscow", "days": {"mon": ["09:00-18:00"]}, "text": {"en": "…"}}`.
/// A day that is left out is a day off; a range that ends before it begins goes on to the next day.
public struct OfficeHours: Sendable, Equatable {
    /// Minutes of a day; the end is not in it.
    public struct Range: Sendable, Equatable {
        public var start: Int
        public var end: Int
    }
    public var timeZone: TimeZone
    /// From Sunday on, as the calendar counts.
    public var days: [[Range]]
    /// What is said outside them, by language.
    public var text: Members<String>

    private static let names = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]

    /// What is wrong with a setting, or `nil`.
    static func fault(in json: JSON) -> String? {
        guard json.object != nil else { return "must be an object with timezone and days" }
        guard json["timezone"]?.string.flatMap(TimeZone.init(identifier:)) != nil else {
            return "must have a timezone such as Europe/Moscow"
        }
        let texts = json["text"]?.object?.values.map { $0 } ?? []
        guard json["text"]?.isNull ?? true || json["text"]?.object != nil,
            texts.allSatisfy({ $0.isNull || ($0.string?.count ?? .max) <= 4_000 })
        else { return "must have texts of at most 4,000 characters by language" }
        return OfficeHours(json) == nil ? "must have days (mon to sun) with lists of ranges like 09:00-18:00" : nil
    }

    /// `nil` for what cannot be read.
    public init?(_ json: JSON) {
        guard let zone = json["timezone"]?.string.flatMap(TimeZone.init(identifier:)),
            let given = json["days"]?.object
        else { return nil }
        var days = [[Range]](repeating: [], count: 7)
        for (name, ranges) in given where !ranges.isNull {
            guard let day = Self.names.firstIndex(of: name.lowercased()), let list = ranges.array else { return nil }
            for range in list {
                guard let text = range.string, let range = Range(text) else { return nil }
                days[day].append(range)
            }
        }
        timeZone = zone
        self.days = days
        text = json["text"]?.object?.compactMapValues(\.string) ?? [:]
    }

    public func isOpen(at moment: Timestamp) -> Bool {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = timeZone
        let date = Date(timeIntervalSince1970: Double(moment.rawValue) / 1000)
        let parts = calendar.dateComponents([.weekday, .hour, .minute], from: date)
        guard let weekday = parts.weekday, (1...7).contains(weekday), let hour = parts.hour, let minute = parts.minute
        else { return true }
        let now = hour * 60 + minute
        return days[weekday - 1].contains { $0.start <= now && (now < $0.end || $0.isOvernight) }
            || days[(weekday + 5) % 7].contains { $0.isOvernight && now < $0.end }
    }

    /// What a customer is told outside the hours.
    public func text(language: String?) -> String {
        text.words(in: language) ?? ChatTexts.in(language).away
    }
}

extension OfficeHours.Range {
    var isOvernight: Bool { end <= start }

    /// `09:00-18:00`; midnight may be `24:00` at the end.
    init?(_ text: String) {
        let ends = text.split(separator: "-", omittingEmptySubsequences: false).map(Self.minutes)
        guard ends.count == 2, let start = ends[0], let end = ends[1], start < 1440 else { return nil }
        self.init(start: start, end: end)
    }

    private static func minutes(_ text: Substring) -> Int? {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
            .map { $0.filter { !$0.isWhitespace } }
        guard parts.count == 2, parts.allSatisfy({ (1...2).contains($0.count) }), let hour = Int(parts[0]),
            let minute = Int(parts[1]), (0...59).contains(minute), (0...23).contains(hour) || (hour, minute) == (24, 0)
        else { return nil }
        return hour * 60 + minute
    }
}

extension Members<String> {
    /// The words in a language, else in English, else in any; `nil` if there are none.
    func words(in language: String?) -> String? {
        let known = language.flatMap { self[$0] ?? self[$0.lowercased()] } ?? self["en"]
        return (known ?? sorted { $0.key < $1.key }.first?.value).flatMap { $0.isEmpty ? nil : $0 }
    }
}
