import Base

extension Timestamp {
    /// Seconds since 1970 with a fraction, as `time.start` has them.
    var seconds: Double { Double(rawValue) / 1000 }

    /// `2024-10-11T10:00:00+00:00`. Documentation: `api-reference/data-types.md`.
    var bitrixDate: String {
        let seconds = rawValue / 1000
        let day = civilDay(seconds / 86_400)
        let time = seconds % 86_400
        return
            "\(padded(day.year, 4))-\(padded(day.month, 2))-\(padded(day.day, 2))T"
            + "\(padded(time / 3600, 2)):\(padded(time / 60 % 60, 2)):\(padded(time % 60, 2))+00:00"
    }
}

private func padded(_ number: Int64, _ width: Int) -> String {
    let text = String(number)
    return text.count >= width ? text : String(repeating: "0", count: width - text.count) + text
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
