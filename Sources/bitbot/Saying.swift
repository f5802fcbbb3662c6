import Base

/// Prints a line at once, also into a pipe.
/// - Returns: whether it was written.
@discardableResult
func say(_ line: String) -> Bool { StandardOutput.write(line: line) }

/// Says a sentence on standard error.
func complain(_ sentence: String) { StandardError.write(line: "bitbot: \(sentence)") }
