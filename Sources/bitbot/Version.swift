import Foundation

let version = "0.1.0"

/// Prints a line at once, also into a pipe.
func say(_ line: String) { FileHandle.standardOutput.write(Data((line + "\n").utf8)) }

/// Says a sentence on standard error.
func complain(_ sentence: String) { FileHandle.standardError.write(Data("bitbot: \(sentence)\n".utf8)) }
