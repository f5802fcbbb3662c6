/// How long to wait before trying again.
enum Pauses {
    /// Doubling from a second, with a fifth of chance so that many do not come back together.
    /// - Parameter attempt: 1 for the first repetition.
    static func before(attempt: Int, longest: Duration, asked: Duration? = nil) -> Duration {
        let doubled = Duration.seconds(1 << min(max(attempt - 1, 0), 12))
        let spread = min(doubled, longest) * Double.random(in: 0.9...1.1)
        return max(spread, asked ?? .zero)
    }
}
