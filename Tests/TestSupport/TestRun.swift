import Foundation

/// How this run of the tests was asked for.
public enum TestRun {
    /// `BITBOT_SOAK=1`: at full size.
    public static let isSoak = ProcessInfo.processInfo.environment["BITBOT_SOAK"] == "1"

    /// `BITBOT_SEED`: the seed of a former run; else one of chance. A test prints what it uses.
    public static func seed() -> UInt64 {
        ProcessInfo.processInfo.environment["BITBOT_SEED"].flatMap { UInt64($0) } ?? .random(in: 1...99_999)
    }
}
