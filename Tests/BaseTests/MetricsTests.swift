import Testing

@testable import Base

@Suite struct MetricsTests {
    @Test("counters, gauges and histograms are shown in Prometheus' text format")
    func text() {
        let metrics = Metrics()
        let counter = metrics.counter("bitbot_events_total", help: "Events\nof \\all kinds.")
        counter.increment(["kind": "message", "api": "v2"])
        counter.increment(by: 2, ["api": "v2", "kind": "message"])
        counter.increment(["kind": "say \"hi\"\n\\"])
        let gauge = metrics.gauge("bitbot_waiting", help: "Waiting.")
        gauge.set(2)
        gauge.add(-0.5)
        let histogram = metrics.histogram("bitbot_call_seconds", help: "Calls.", buckets: [1, 0.1, .infinity])
        for seconds in [0.05, 0.1, 0.5, 7] { histogram.observe(seconds) }
        let text = metrics.render()
        #expect(
            text.hasPrefix(
                """
                # HELP bitbot_call_seconds Calls.
                # TYPE bitbot_call_seconds histogram
                bitbot_call_seconds_bucket{le="0.1"} 2
                bitbot_call_seconds_bucket{le="1"} 3
                bitbot_call_seconds_bucket{le="+Inf"} 4
                bitbot_call_seconds_sum 7.65
                bitbot_call_seconds_count 4
                # HELP bitbot_events_total Events\\nof \\\\all kinds.
                # TYPE bitbot_events_total counter
                bitbot_events_total{api="v2",kind="message"} 3
                bitbot_events_total{kind="say \\"hi\\"\\n\\\\"} 1
                # HELP bitbot_waiting Waiting.
                # TYPE bitbot_waiting gauge
                bitbot_waiting 1.5

                """))
    }

    @Test("a counter and a gauge that nothing touched show zero")
    func untouched() {
        let metrics = Metrics()
        _ = metrics.counter("bitbot_a_total", help: "A.")
        _ = metrics.gauge("bitbot_b", help: "B.")
        let text = metrics.render()
        #expect(text.contains("\nbitbot_a_total 0\n") && text.contains("\nbitbot_b 0\n"))
    }

    @Test("asking twice for a name gives the same metric")
    func same() {
        let metrics = Metrics()
        metrics.counter("bitbot_a_total", help: "A.").increment()
        metrics.counter("bitbot_a_total", help: "A.").increment()
        #expect(metrics.counter("bitbot_a_total", help: "A.").value() == 2)
    }

    @Test("the process's own time, memory and descriptors are shown")
    func process() throws {
        let values = Metrics().render().split(separator: "\n").filter { !$0.hasPrefix("#") }
            .map { $0.split(separator: " ") }
        let byName = Dictionary(uniqueKeysWithValues: values.map { (String($0[0]), Double($0[1]) ?? 0) })
        #expect(try #require(byName["process_cpu_seconds_total"]) > 0)
        #expect(try #require(byName["process_resident_memory_bytes"]) > 1_000_000)
        #expect(try #require(byName["process_open_fds"]) >= 3)
    }

    @Test("no count is lost between threads")
    func concurrent() async {
        let counter = Metrics().counter("bitbot_a_total", help: "A.")
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    for _ in 0..<1_000 {
                        counter.increment()
                        counter.increment(["k": "v"])
                    }
                }
            }
        }
        #expect(counter.value() == 8_000 && counter.value(["k": "v"]) == 8_000)
    }

    @Test("endless labels are gathered instead of kept")
    func bounded() {
        let metrics = Metrics()
        let counter = metrics.counter("bitbot_a_total", help: "A.")
        for index in 0..<3_000 { counter.increment(["id": "\(index)"]) }
        #expect(counter.value(["overflow": "true"]) == 2_000)
        counter.increment(["id": "5"])
        #expect(counter.value(["id": "5"]) == 2)
    }
}
