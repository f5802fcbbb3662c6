import Base

extension Timestamp {
    /// Seconds since 1970 with a fraction, as `time.start` has them.
    var seconds: Double { Double(rawValue) / 1000 }

    /// `2024-10-11T10:00:00+00:00`. Documentation: `api-reference/data-types.md`.
    var bitrixDate: String {
        let seconds = rawValue / 1000
        let day = civilDay(seconds / 86_400)
        let time = seconds % 86_400
        var text = Array("0000-00-00T00:00:00+00:00".utf8)
        let fields = [
            (day.year, 3), (day.month, 6), (day.day, 9), (time / 3600, 12), (time / 60 % 60, 15), (time % 60, 18),
        ]
        for (number, last) in fields {
            var rest = number
            var position = last
            while rest > 0, position >= 0 {
                text[position] = UInt8(ascii: "0") + UInt8(rest % 10)
                rest /= 10
                position -= 1
            }
        }
        return String(decoding: text, as: UTF8.self)
    }
}

/// The members of an answer's `time` that all answers have. Documentation: `limits.md`.
func bitrixTime(from start: Timestamp, to finish: Timestamp) -> Members<JSON> {
    let duration = Double((finish - start).milliseconds) / 1000
    let startDate = start.bitrixDate
    let isSameSecond = start.rawValue / 1000 == finish.rawValue / 1000
    return [
        "start": .number(start.seconds), "finish": .number(finish.seconds), "duration": .number(duration),
        "processing": .number(duration), "date_start": .string(startDate),
        "date_finish": .string(isSameSecond ? startDate : finish.bitrixDate),
    ]
}

/// The date of a day counted from 1970-01-01 (the Gregorian calendar's arithmetic on eras of 400 years).
private func civilDay(_ daysSince1970: Int64) -> (year: Int64, month: Int64, day: Int64) {
    let shifted = daysSince1970 + 719_468
    let era = shifted / 146_097
    let dayOfEra = shifted % 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shiftedMonth = (5 * dayOfYear + 2) / 153
    let day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
    let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
    return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day)
}
