import Glibc

/// What the system knows about this process, under the names that Prometheus' own libraries use.
enum ProcessMetrics {
    static func render(into text: inout PrometheusText) {
        text.head("process_cpu_seconds_total", help: "User and system CPU time.", type: "counter")
        text.sample("process_cpu_seconds_total", [], PrometheusText.number(cpuSeconds))
        if let bytes = residentBytes {
            text.head("process_resident_memory_bytes", help: "Resident memory.", type: "gauge")
            text.sample("process_resident_memory_bytes", [], "\(bytes)")
        }
        if let count = openDescriptors {
            text.head("process_open_fds", help: "Open file descriptors.", type: "gauge")
            text.sample("process_open_fds", [], "\(count)")
        }
    }

    private static var cpuSeconds: Double {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        return seconds(usage.ru_utime) + seconds(usage.ru_stime)
    }

    private static func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }

    /// The second number in `/proc/self/statm`, in pages.
    private static var residentBytes: Int? {
        guard let file = fopen("/proc/self/statm", "r") else { return nil }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 256)
        guard fgets(&line, Int32(line.count), file) != nil else { return nil }
        let fields = String(decoding: line.map(UInt8.init(bitPattern:)), as: UTF8.self).split(separator: " ")
        return fields.dropFirst().first.flatMap { Int($0) }.map { $0 * sysconf(Int32(_SC_PAGESIZE)) }
    }

    private static var openDescriptors: Int? {
        guard let folder = opendir("/proc/self/fd") else { return nil }
        defer { closedir(folder) }
        var entries = 0
        while readdir(folder) != nil { entries += 1 }
        // `.`, `..` and the descriptor of this look itself.
        return entries - 3
    }
}
