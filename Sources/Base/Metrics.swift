/// The process's metrics, shown as Prometheus text. Asking twice for the same name gives the same metric.
public final class Metrics: Sendable {
    public init() { fatalError("skeleton") }

    /// - Parameter name: with its `bitbot_` prefix and, for a counter, `_total` suffix.
    public func counter(_ name: String, help: String) -> Counter { fatalError("skeleton") }
    public func gauge(_ name: String, help: String) -> Gauge { fatalError("skeleton") }
    /// Seconds.
    public func histogram(_ name: String, help: String, buckets: [Double]? = nil) -> Histogram {
        fatalError("skeleton")
    }

    /// Prometheus' text format, version 0.0.4.
    public func render() -> String { fatalError("skeleton") }
}

public final class Counter: Sendable {
    public func increment(by amount: Int = 1, _ labels: [String: String] = [:]) { fatalError("skeleton") }
    public func value(_ labels: [String: String] = [:]) -> Int { fatalError("skeleton") }
}

public final class Gauge: Sendable {
    public func set(_ value: Double, _ labels: [String: String] = [:]) { fatalError("skeleton") }
    public func add(_ amount: Double, _ labels: [String: String] = [:]) { fatalError("skeleton") }
}

public final class Histogram: Sendable {
    public func observe(_ seconds: Double, _ labels: [String: String] = [:]) { fatalError("skeleton") }
}
