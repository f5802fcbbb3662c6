import BotPlatforms

/// Finds out which of the offered choices an answer means.
extension Choices {
    /// Longer answers are meant as they are.
    private static let longestAnswer = 300

    /// In the order of the answer; empty if it means none of them, or it cannot be told which.
    func chosen(by answer: String) -> [Choice] {
        let answer = Self.withoutMention(answer)
        guard !answer.isEmpty, answer.utf8.count <= 4 * Self.longestAnswer else { return [] }
        if let one = choice(answer) { return [one] }
        guard several else { return [] }
        return all(answer.split { ",;\n".contains($0) }) ?? all(answer.split(whereSeparator: \.isWhitespace)) ?? []
    }

    /// What each of the parts means; `nil` if one of them means nothing.
    private func all(_ parts: [Substring]) -> [Choice]? {
        var found: [Choice] = []
        for part in parts {
            guard let one = choice(String(part)) else { return nil }
            if !found.contains(one) { found.append(one) }
        }
        return found.isEmpty ? nil : found
    }

    private func choice(_ answer: String) -> Choice? {
        let answer = trimmed(answer[...])
        if let same = options.first(where: { $0.label == answer }) { return same }
        // Whoever sees buttons presses one.
        if isOptional, !takesNumbers { return same(as: answer) }
        let number = Self.number(answer)
        if takesNumbers, let number, options.indices.contains(number - 1) { return options[number - 1] }
        // Values are not seen: a number that is one was not meant so.
        return (number == nil ? options.first { $0.value == answer } : nil) ?? closest(to: answer)
    }

    /// The one that differs in case only; `nil` if there is none or there are more.
    private func same(as answer: String) -> Choice? {
        let same = options.filter { trimmed($0.label[...]).lowercased() == answer.lowercased() }
        return same.count == 1 ? same[0] : nil
    }

    /// `2`, `2.`, `2)`, `№2`, `#2`, also as an emoji.
    private static func number(_ text: String) -> Int? {
        var scalars = Array(text.unicodeScalars).filter { $0.value != 0xFE0F && $0.value != 0x20E3 }[...]
        if let first = scalars.first, "№#".unicodeScalars.contains(first) { scalars = scalars.dropFirst() }
        if let last = scalars.last, ".)".unicodeScalars.contains(last) { scalars = scalars.dropLast() }
        let digits = trimmed(Substring(String(String.UnicodeScalarView(scalars))))
        return digits.count <= 4 && digits.allSatisfy { $0.isASCII && $0.isNumber } ? Int(digits) : nil
    }

    // MARK: Close matches

    /// The one that differs in case, spaces, punctuation or a letter or two at most; `nil` if there is none or there are more.
    private func closest(to answer: String) -> Choice? {
        let answer = Self.plain(answer)
        guard !answer.isEmpty, answer.count <= Self.longestAnswer else { return nil }
        let labels = options.map { Self.plain($0.label) }
        let same = options.indices.filter {
            labels[$0] == answer || "\($0 + 1) " + String(labels[$0]) == String(answer)
        }
        if !same.isEmpty { return same.count == 1 ? options[same[0]] : nil }
        let allowed = answer.count < 4 ? 0 : answer.count < 8 ? 1 : 2
        guard allowed > 0, !answer.allSatisfy({ $0.isNumber || $0 == " " }) else { return nil }
        let distances = labels.map { distance(Array(answer), Array($0), atMost: allowed) }
        guard let least = distances.compactMap({ $0 }).min() else { return nil }
        let nearest = options.indices.filter { distances[$0] == least }
        return nearest.count == 1 ? options[nearest[0]] : nil
    }

    /// In small letters, words parted by one space, without anything but letters and digits.
    private static func plain(_ text: String) -> String {
        let words = text.lowercased().replacing("ё", with: "е").unicodeScalars.split {
            !($0.properties.isAlphabetic || $0.properties.numericType != nil)
        }
        return words.map { String($0) }.joined(separator: " ")
    }

    /// An answer in a group begins with the bot's name.
    private static func withoutMention(_ answer: String) -> String {
        var rest = answer[...]
        if rest.prefix(6).uppercased() == "[USER=", let end = rest.firstRange(of: "[/USER]") {
            rest = rest[end.upperBound...].drop { $0.isWhitespace || ",:".contains($0) }
        }
        return trimmed(rest)
    }
}

private func trimmed(_ text: Substring) -> String {
    let start = text.drop(while: \.isWhitespace)
    return String(start.prefix(upTo: start.lastIndex { !$0.isWhitespace }.map(start.index(after:)) ?? start.startIndex))
}

/// How many letters have to be changed, added, left out or swapped with their neighbour; `nil` if more than `most`.
private func distance(_ a: [Character], _ b: [Character], atMost most: Int) -> Int? {
    guard abs(a.count - b.count) <= most else { return nil }
    var before: [Int] = []
    var last = Array(0...b.count)
    for i in a.indices {
        var row = [i + 1]
        row.reserveCapacity(b.count + 1)
        for j in b.indices {
            var least = min(last[j] + (a[i] == b[j] ? 0 : 1), last[j + 1] + 1, row[j] + 1)
            if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { least = min(least, before[j - 1] + 1) }
            row.append(least)
        }
        if row.allSatisfy({ $0 > most }) { return nil }
        (before, last) = (last, row)
    }
    return last[b.count] <= most ? last[b.count] : nil
}
