/// Times in milliseconds.
struct Latencies: Sendable {
    private let sorted: [Double]

    init(_ times: [Double]) { sorted = times.sorted() }

    var p50: Double { at(0.5) }
    var p95: Double { at(0.95) }
    var p99: Double { at(0.99) }

    private func at(_ part: Double) -> Double {
        sorted.isEmpty ? .nan : sorted[Int(Double(sorted.count - 1) * part)]
    }

    /// `1.2 / 3.4 / 5.6`.
    var text: String { [p50, p95, p99].map { $0.rounded(to: 1) }.joined(separator: " / ") }
}

extension Double {
    func rounded(to digits: Int) -> String {
        guard isFinite else { return "–" }
        var unit = 1.0
        for _ in 0..<digits { unit *= 10 }
        let whole = Int((self * unit).rounded())
        if digits == 0 { return "\(whole)" }
        let text = "\(abs(whole))"
        let padded = String(repeating: "0", count: max(0, digits + 1 - text.count)) + text
        return (whole < 0 ? "-" : "") + padded.dropLast(digits) + "." + padded.suffix(digits)
    }
}
