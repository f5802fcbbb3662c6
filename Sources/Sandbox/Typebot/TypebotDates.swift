import Base
import Foundation

/// Reads dates as people write them, as far as the sandbox needs it. Typebot reads many more ways.
/// Documentation: `packages/bot-engine/src/blocks/inputs/date/parseDateReply.ts`.
struct TypebotDates {
    let options: Members<JSON>
    var today = Date()

    /// A moment without a time zone.
    private struct Moment: Comparable {
        var year: Int
        var month: Int
        var day: Int
        var hour = 12
        var minute = 0

        static func < (a: Moment, b: Moment) -> Bool {
            (a.year, a.month, a.day, a.hour * 60 + a.minute) < (b.year, b.month, b.day, b.hour * 60 + b.minute)
        }
    }

    private var calendar: Calendar {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = .gmt
        return calendar
    }

    /// The date, or both of a range, in the block's format; `nil` if there is none or it is out of bounds.
    func date(_ text: String) -> String? {
        let hasTime = options["hasTime"]?.bool == true
        let format = format(default: hasTime ? "dd/MM/yyyy HH:mm" : "dd/MM/yyyy")
        let parts = text.lowercased().components(separatedBy: " to ").flatMap { $0.components(separatedBy: " - ") }
        guard let start = moment(parts[0]) else { return nil }
        let end = parts.count > 1 ? moment(parts[1]) : nil
        let isRange = options["isRange"]?.bool == true
        if isRange, end == nil { return nil }
        for found in [start, end].compactMap({ $0 }) {
            if let most = bound("max"), found > most { return nil }
            if let least = bound("min"), found < least { return nil }
        }
        guard isRange, let end else { return write(start, format) }
        let separator = options["labels"]?["separator"]?.string ?? "to"
        return "\(write(start, format)) \(separator) \(write(end, format))"
    }

    func time(_ text: String) -> String? {
        guard let (hour, minute) = clock(text.lowercased()) else { return nil }
        return write(Moment(year: 2000, month: 1, day: 1, hour: hour, minute: minute), format(default: "HH:mm"))
    }

    private func format(default standard: String) -> String {
        options["format"]?.string.flatMap { $0.isEmpty ? nil : $0 } ?? standard
    }

    private func bound(_ name: String) -> Moment? {
        guard let text = options[name]?.string, var bound = moment(text) else { return nil }
        if clock(text) == nil { (bound.hour, bound.minute) = (0, 0) }
        return bound
    }

    // MARK: Reading

    private func moment(_ text: String) -> Moment? {
        guard var moment = numeric(text) ?? named(text) ?? relative(text) else { return nil }
        guard (1...12).contains(moment.month), (1...31).contains(moment.day) else { return nil }
        if let (hour, minute) = clock(text) { (moment.hour, moment.minute) = (hour, minute) }
        return moment
    }

    /// `2027-04-03`, and `03/04/2027` with the day first where the block's format has it so.
    private func numeric(_ text: String) -> Moment? {
        if let found = numbers(text, #"\d{4}-\d{1,2}-\d{1,2}"#) {
            return Moment(year: found[0], month: found[1], day: found[2])
        }
        guard let found = numbers(text, #"\d{1,2}[/.\-]\d{1,2}[/.\-]\d{4}"#) else { return nil }
        return format(default: "dd").hasPrefix("dd")
            ? Moment(year: found[2], month: found[1], day: found[0])
            : Moment(year: found[2], month: found[0], day: found[1])
    }

    private func numbers(_ text: String, _ pattern: String) -> [Int]? {
        guard let found = text.range(of: pattern, options: .regularExpression) else { return nil }
        return text[found].split { !$0.isNumber }.compactMap { Int($0) }
    }

    /// `10 May 2027`, `May 10, 2027`, `10 May`.
    private func named(_ text: String) -> Moment? {
        let words = text.lowercased().split { !$0.isLetter && !$0.isNumber }
        guard let month = words.lazy.compactMap({ word in Self.months.firstIndex { word.hasPrefix($0) } }).first else {
            return nil
        }
        let numbers = words.compactMap { Int($0) }
        guard let day = numbers.first(where: { (1...31).contains($0) }) else { return nil }
        let year = numbers.first { (1900...2200).contains($0) } ?? calendar.component(.year, from: today)
        return Moment(year: year, month: month + 1, day: day)
    }

    private static let months = [
        "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
    ]

    /// `today`, `tomorrow`, `in 3 days`.
    private func relative(_ text: String) -> Moment? {
        let text = text.lowercased()
        let days = numbers(text, #"in \d{1,3} days?"#)?.first
        guard let offset = days ?? (text.contains("tomorrow") ? 1 : text.contains("today") ? 0 : nil),
            let date = calendar.date(byAdding: .day, value: offset, to: today)
        else { return nil }
        let parts = calendar.dateComponents([.year, .month, .day], from: date)
        return Moment(year: parts.year ?? 1970, month: parts.month ?? 1, day: parts.day ?? 1)
    }

    private func clock(_ text: String) -> (hour: Int, minute: Int)? {
        if let found = numbers(text, #"\b\d{1,2}:\d{2}\b"#), found[0] < 24, found[1] < 60 {
            let isAfternoon = text.contains("pm") && found[0] < 12
            return (found[0] + (isAfternoon ? 12 : 0), found[1])
        }
        guard let found = numbers(text, #"\b\d{1,2} ?[ap]m\b"#), found[0] <= 12 else { return nil }
        return (found[0] % 12 + (text.contains("pm") ? 12 : 0), 0)
    }

    // MARK: Writing

    private func write(_ moment: Moment, _ format: String) -> String {
        var result = ""
        var rest = Substring(format)
        while let first = rest.first {
            let run = rest.prefix { $0 == first }
            let value: Int? =
                switch first {
                case "y": run.count == 2 ? moment.year % 100 : moment.year
                case "M": moment.month
                case "d": moment.day
                case "H": moment.hour
                case "h": (moment.hour + 11) % 12 + 1
                case "m": moment.minute
                default: nil
                }
            if let value {
                let digits = String(value)
                result += String(repeating: "0", count: max(0, run.count - digits.count)) + digits
            } else if first == "a" {
                result += moment.hour < 12 ? "AM" : "PM"
            } else {
                result += run
            }
            rest = rest[run.endIndex...]
        }
        return result
    }
}
