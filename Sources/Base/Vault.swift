import CBase

/// Encrypts what is secret at rest (libsodium's secretbox, a random nonce for each), and the few other things that need
/// real cryptography.
public struct Vault: Sendable, CustomStringConvertible, CustomReflectable {
    private static let nonceBytes = Int(crypto_secretbox_NONCEBYTES)
    private static let tagBytes = Int(crypto_secretbox_MACBYTES)
    private static let hashBytes = 32

    private let key: [UInt8]

    /// - Throws: ``VaultError/badKey`` unless `key` has 32 bytes.
    public init(key: [UInt8]) throws {
        guard key.count == Int(crypto_secretbox_KEYBYTES) else { throw VaultError.badKey }
        Sodium.start()
        self.key = key
    }

    public var description: String { "Vault" }
    public var customMirror: Mirror { Mirror(self, children: []) }

    /// Nonce and sealed bytes.
    public func seal(_ bytes: some Collection<UInt8>) -> [UInt8] {
        let plain = Array(bytes)
        let size = Self.nonceBytes + Self.tagBytes + plain.count
        return [UInt8](unsafeUninitializedCapacity: size) { sealed, filled in
            guard let nonce = sealed.baseAddress else { return }
            randombytes_buf(nonce, Self.nonceBytes)
            crypto_secretbox_easy(nonce + Self.nonceBytes, plain, UInt64(plain.count), nonce, key)
            filled = size
        }
    }

    /// - Throws: ``VaultError/cannotOpen`` when the key is another or the bytes were changed.
    public func open(_ sealed: [UInt8]) throws -> [UInt8] {
        let size = sealed.count - Self.nonceBytes - Self.tagBytes
        guard size >= 0 else { throw VaultError.cannotOpen }
        let box = Array(sealed[Self.nonceBytes...])
        var plain = [UInt8](repeating: 0, count: size)
        guard crypto_secretbox_open_easy(&plain, box, UInt64(box.count), sealed, key) == 0 else {
            throw VaultError.cannotOpen
        }
        return plain
    }

    public func seal(_ secret: Secret) -> [UInt8] { seal(secret.reveal().utf8) }
    public func openSecret(_ sealed: [UInt8]) throws -> Secret {
        Secret(String(decoding: try open(sealed), as: UTF8.self))
    }

    /// Sealed bytes as a text that fits into an address, a header or JSON, for something that somebody else keeps for us.
    public func ticket(_ bytes: some Collection<UInt8>) -> String { Self.base64(seal(bytes)) }

    /// What a ``ticket(_:)`` holds.
    /// - Throws: ``VaultError/cannotOpen`` when it is none of ours.
    public func open(ticket: String) throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: ticket.utf8.count)
        var count = 0
        guard
            sodium_base642bin(
                &bytes, bytes.count, ticket, ticket.utf8.count, nil, &count, nil, Self.base64Variant) == 0
        else { throw VaultError.cannotOpen }
        return try open(Array(bytes.prefix(count)))
    }

    public static func randomBytes(_ count: Int) -> [UInt8] {
        Sodium.start()
        return [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            if let start = buffer.baseAddress { randombytes_buf(start, count) }
            filled = count
        }
    }

    /// `bytes` random bytes as URL-safe base64 without padding.
    public static func randomToken(bytes: Int = 24) -> String {
        base64(randomBytes(bytes))
    }

    private static let base64Variant = sodium_base64_VARIANT_URLSAFE_NO_PADDING

    private static func base64(_ bytes: [UInt8]) -> String {
        var text = [CChar](repeating: 0, count: sodium_base64_encoded_len(bytes.count, base64Variant))
        sodium_bin2base64(&text, text.count, bytes, bytes.count, base64Variant)
        return String(decoding: text.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    /// A random (version 4) UUID in lower case.
    public static func randomUUID() -> String {
        var bytes = randomBytes(16)
        bytes[6] = bytes[6] & 0x0F | 0x40
        bytes[8] = bytes[8] & 0x3F | 0x80
        var text: [UInt8] = []
        text.reserveCapacity(36)
        for (index, byte) in bytes.enumerated() {
            if index == 4 || index == 6 || index == 8 || index == 10 { text.append(UInt8(ascii: "-")) }
            text.append(hexadecimalDigits[Int(byte >> 4)])
            text.append(hexadecimalDigits[Int(byte & 0xF)])
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// In time that does not depend on where they differ.
    public static func equal(_ a: Secret, _ b: Secret) -> Bool {
        // Hashes have one length, so that texts of different lengths take the same way.
        sodium_memcmp(hash(a.reveal()), hash(b.reveal()), hashBytes) == 0
    }

    /// BLAKE2b, 32 bytes, as lower-case hexadecimal.
    public static func fingerprint(_ text: String) -> String {
        let digits = hash(text).flatMap { [hexadecimalDigits[Int($0 >> 4)], hexadecimalDigits[Int($0 & 0xF)]] }
        return String(decoding: digits, as: UTF8.self)
    }

    private static func hash(_ text: String) -> [UInt8] {
        Sodium.start()
        var text = text
        return text.withUTF8 { bytes in
            var hash = [UInt8](repeating: 0, count: hashBytes)
            crypto_generichash(&hash, hashBytes, bytes.baseAddress, UInt64(bytes.count), nil, 0)
            return hash
        }
    }
}

public enum VaultError: Error, Sendable, Equatable {
    case badKey
    case cannotOpen
}

enum Sodium {
    private static let started: Void = precondition(sodium_init() >= 0, "libsodium found no source of randomness")

    /// Must have happened before any other call to libsodium; only the first one does anything.
    static func start() { _ = started }
}
