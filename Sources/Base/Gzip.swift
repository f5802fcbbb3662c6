import CBase

/// Compresses what is sent to browsers.
public enum Gzip {
    /// - Returns: `bytes` in the gzip format (RFC 1952), as small as zlib makes them.
    public static func compress(_ bytes: [UInt8]) -> [UInt8] {
        var stream = z_stream()
        let gzipFormat: Int32 = 16
        let begun = deflateInit2_(
            &stream, Z_BEST_COMPRESSION, Z_DEFLATED, MAX_WBITS + gzipFormat, MAX_MEM_LEVEL, Z_DEFAULT_STRATEGY,
            ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        precondition(begun == Z_OK, "no memory for compressing")
        defer { deflateEnd(&stream) }
        let room = Int(deflateBound(&stream, UInt(bytes.count)))
        var input = bytes
        return input.withUnsafeMutableBufferPointer { source in
            [UInt8](unsafeUninitializedCapacity: room) { target, count in
                stream.next_in = source.baseAddress
                stream.avail_in = UInt32(source.count)
                stream.next_out = target.baseAddress
                stream.avail_out = UInt32(room)
                // One call is enough where there is room for all.
                let ended = deflate(&stream, Z_FINISH)
                precondition(ended == Z_STREAM_END)
                count = room - Int(stream.avail_out)
            }
        }
    }
}
