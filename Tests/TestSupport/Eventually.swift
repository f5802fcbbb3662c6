/// A condition that did not come true in time.
public struct TimedOut: Error, CustomStringConvertible {
    public let description: String
}

/// Waits until `condition` is true, looking again every few milliseconds.
/// - Throws: ``TimedOut`` when it stays false, or whatever `condition` throws.
public nonisolated(nonsending) func eventually(
    timeout: Duration = .seconds(20), file: StaticString = #fileID, line: UInt = #line,
    _ condition: () async throws -> Bool
) async throws {
    let clock = ContinuousClock()
    let end = clock.now + timeout
    while try await !condition() {
        guard clock.now < end else {
            throw TimedOut(description: "not true within \(timeout) at \(file):\(line)")
        }
        try await Task.sleep(for: .milliseconds(5))
    }
}
