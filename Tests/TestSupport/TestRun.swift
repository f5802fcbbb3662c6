import Foundation

/// How this run of the tests was asked for.
public enum TestRun {
    /// `BITBOT_SOAK=1`: at full size.
    public static let isSoak = ProcessInfo.processInfo.environment["BITBOT_SOAK"] == "1"

    /// `BITBOT_SEED`: the seed of a former run alone; else so many of chance. Who uses one says which, where it fails.
    public static func seeds(_ count: Int) -> [UInt64] {
        ProcessInfo.processInfo.environment["BITBOT_SEED"].flatMap { UInt64($0) }.map { [$0] }
            ?? (0..<count).map { _ in .random(in: 1...99_999) }
    }
}
