import Synchronization

/// The process's metrics, shown as Prometheus text. Asking twice for the same name gives the same metric.
///
/// Labels and their values come from small closed sets (a method, a status, a kind of error), never from what a stranger
/// sends. As a last guard a metric keeps 1,000 sets of labels; what comes beyond is gathered under `overflow="true"`.
public final class Metrics: Sendable {
    private let metrics = Mutex<[String: any Metric]>([:])

    public init() {}

    /// - Parameter name: with its `bitbot_` prefix and, for a counter, `_total` suffix.
    public func counter(_ name: String, help: String) -> Counter { find(name) { Counter(name: name, help: help) } }
    public func gauge(_ name: String, help: String) -> Gauge { find(name) { Gauge(name: name, help: help) } }
    /// Seconds.
    /// - Parameter buckets: upper bounds; from one millisecond to two minutes if `nil`.
    public func histogram(_ name: String, help: String, buckets: [Double]? = nil) -> Histogram {
        find(name) { Histogram(name: name, help: help, buckets: buckets ?? Histogram.usualBuckets) }
    }

    /// Prometheus' text format, version 0.0.4.
    public func render() -> String {
        let all = metrics.withLock { $0 }
        var text = PrometheusText()
        for (_, metric) in all.sorted(by: { $0.key < $1.key }) { metric.render(into: &text) }
        ProcessMetrics.render(into: &text)
        return text.text
    }

    private func find<M: Metric>(_ name: String, make: () -> M) -> M {
        metrics.withLock { metrics in
            if let known = metrics[name] {
                guard let metric = known as? M else { preconditionFailure("\(name) is a metric of another kind") }
                return metric
            }
            let metric = make()
            metrics[name] = metric
            return metric
        }
    }
}

/// What ``Metrics`` can keep and show.
protocol Metric: Sendable {
    func render(into text: inout PrometheusText)
}

/// Counts what happened.
public final class Counter: Metric {
    private let name: String
    private let help: String
    private let plain = Atomic<Int>(0)
    private let labelled = Mutex(Series<Int>())

    fileprivate init(name: String, help: String) {
        self.name = name
        self.help = help
    }

    public func increment(by amount: Int = 1, _ labels: [String: String] = [:]) {
        if labels.isEmpty {
            plain.wrappingAdd(amount, ordering: .relaxed)
        } else {
            labelled.withLock { $0[labels, default: 0] += amount }
        }
    }

    public func value(_ labels: [String: String] = [:]) -> Int {
        labels.isEmpty ? plain.load(ordering: .relaxed) : labelled.withLock { $0.values[labels] ?? 0 }
    }

    func render(into text: inout PrometheusText) {
        let series = labelled.withLock { $0.values }
        let plain = value()
        text.head(name, help: help, type: "counter")
        if plain != 0 || series.isEmpty { text.sample(name, [], "\(plain)") }
        for (labels, value) in sorted(series) { text.sample(name, labels, "\(value)") }
    }
}

/// A value that goes up and down.
public final class Gauge: Metric {
    private let name: String
    private let help: String
    private let series = Mutex(Series<Double>())

    fileprivate init(name: String, help: String) {
        self.name = name
        self.help = help
    }

    public func set(_ value: Double, _ labels: [String: String] = [:]) {
        series.withLock { $0[labels, default: 0] = value }
    }

    public func add(_ amount: Double, _ labels: [String: String] = [:]) {
        series.withLock { $0[labels, default: 0] += amount }
    }

    func render(into text: inout PrometheusText) {
        let values = series.withLock { $0.values }
        text.head(name, help: help, type: "gauge")
        if values.isEmpty { text.sample(name, [], "0") }
        for (labels, value) in sorted(values) { text.sample(name, labels, PrometheusText.number(value)) }
    }
}

/// How long things took, as counts per upper bound.
public final class Histogram: Metric {
    fileprivate static let usualBuckets = [
        0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120,
    ]

    private struct Observations {
        /// One for each bound and a last one for what lies above all.
        var counts: [Int]
        var sum = 0.0
    }

    private let name: String
    private let help: String
    private let bounds: [Double]
    private let series = Mutex(Series<Observations>())

    fileprivate init(name: String, help: String, buckets: [Double]) {
        self.name = name
        self.help = help
        bounds = Set(buckets.filter(\.isFinite)).sorted()
    }

    public func observe(_ seconds: Double, _ labels: [String: String] = [:]) {
        let slot = bounds.firstIndex { seconds <= $0 } ?? bounds.count
        let none = Observations(counts: Array(repeating: 0, count: bounds.count + 1))
        series.withLock { series in
            series[labels, default: none].counts[slot] += 1
            series[labels, default: none].sum += seconds
        }
    }

    func render(into text: inout PrometheusText) {
        text.head(name, help: help, type: "histogram")
        for (labels, observations) in sorted(series.withLock { $0.values }) {
            var total = 0
            for (count, bound) in zip(observations.counts, bounds + [.infinity]) {
                total += count
                text.sample("\(name)_bucket", labels + [("le", PrometheusText.number(bound))], "\(total)")
            }
            text.sample("\(name)_sum", labels, PrometheusText.number(observations.sum))
            text.sample("\(name)_count", labels, "\(total)")
        }
    }
}

/// The values of one metric by their labels, of which there are never too many.
struct Series<Value: Sendable>: Sendable {
    private(set) var values: [[String: String]: Value] = [:]

    subscript(labels: [String: String], default initial: @autoclosure () -> Value) -> Value {
        get { values[key(labels)] ?? initial() }
        _modify { yield &values[key(labels), default: initial()] }
    }

    private func key(_ labels: [String: String]) -> [String: String] {
        values.count < 1000 || values[labels] != nil ? labels : ["overflow": "true"]
    }
}

private func sorted<Value>(_ series: [[String: String]: Value]) -> [(labels: [(String, String)], value: Value)] {
    series.map { labels, value in (labels.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }, value) }
        .sorted { a, b in
            a.labels.lexicographicallyPrecedes(b.labels) { $0 < $1 }
        }
}
