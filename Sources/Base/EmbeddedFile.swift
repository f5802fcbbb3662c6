import CBase

/// A file that was compiled into the program.
public struct EmbeddedFile: Sendable {
    /// As in the table that it was compiled with.
    public let name: String
    public let bytes: [UInt8]

    /// - Parameter table: rows of a program's constants, the last of which has no name.
    public static func all(_ table: UnsafePointer<embedded_file>) -> [EmbeddedFile] {
        var files: [EmbeddedFile] = []
        var row = table
        // The table and what it points to are constants of the program: they are there as long as it runs.
        while let name = row.pointee.name, let bytes = row.pointee.bytes {
            files.append(
                EmbeddedFile(
                    name: String(cString: name),
                    bytes: Array(UnsafeBufferPointer(start: bytes, count: row.pointee.count))))
            row += 1
        }
        return files
    }
}
