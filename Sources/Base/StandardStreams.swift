import Glibc

/// The process's own output.
public enum StandardOutput {
    /// Writes a line at once, also into a pipe.
    /// - Returns: whether it was written whole.
    @discardableResult
    public static func write(line: String) -> Bool {
        LineOutput.writeAll(Array((line + "\n").utf8), to: STDOUT_FILENO)
    }
}

/// Where logs and complaints go.
public enum StandardError {
    static let output = LineOutput(descriptor: STDERR_FILENO) { count in
        Log.line(.warning, "log lines were left out", ["count": .count(count)])
    }

    public static func write(line: String) { output.write(line: line) }
}
