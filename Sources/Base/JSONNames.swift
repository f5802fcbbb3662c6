extension JSON {
    /// The names of an object's members in the order in which a text has them, which ``JSON`` does not keep.
    /// - Parameters:
    ///   - path: names of members that lead from the top to the object.
    ///   - bytes: JSON, in which other members may be nested as deep as they like.
    /// - Returns: none where there is no such object or the text is broken before it; those before the place where it is
    ///   broken.
    public static func names(at path: [String], in bytes: [UInt8]) -> [String] {
        bytes.withUnsafeBufferPointer { bytes in
            var reader = JSONReader(bytes)
            for name in path where (try? reader.enter(name)) != true { return [] }
            var names: [String] = []
            try? reader.passMembers { names.append($0) }
            return names
        }
    }
}

extension JSONReader {
    /// Moves to the value of a member of the object here, if there is one.
    fileprivate mutating func enter(_ name: String) throws(Broken) -> Bool {
        guard passes(UInt8(ascii: "{")) else { throw Broken() }
        repeat {
            if try self.name() == name { return true }
            try passValue()
        } while passes(UInt8(ascii: ","))
        return false
    }

    fileprivate mutating func passMembers(_ each: (String) -> Void) throws(Broken) {
        guard passes(UInt8(ascii: "{")) else { throw Broken() }
        repeat {
            each(try name())
            try passValue()
        } while passes(UInt8(ascii: ","))
    }
}
