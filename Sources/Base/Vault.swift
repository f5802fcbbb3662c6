/// Encrypts what is secret at rest (libsodium's secretbox, a random nonce for each), and the few other things that need
/// real cryptography.
public struct Vault: Sendable {
    /// - Throws: ``VaultError/badKey`` unless `key` has 32 bytes.
    public init(key: [UInt8]) throws { fatalError("skeleton") }

    /// Nonce and sealed bytes.
    public func seal(_ bytes: some Collection<UInt8>) -> [UInt8] { fatalError("skeleton") }

    /// - Throws: ``VaultError/cannotOpen`` when the key is another or the bytes were changed.
    public func open(_ sealed: [UInt8]) throws -> [UInt8] { fatalError("skeleton") }

    public func seal(_ secret: Secret) -> [UInt8] { seal(secret.reveal().utf8) }
    public func openSecret(_ sealed: [UInt8]) throws -> Secret {
        Secret(String(decoding: try open(sealed), as: UTF8.self))
    }

    public static func randomBytes(_ count: Int) -> [UInt8] { fatalError("skeleton") }
    /// `bytes` random bytes as URL-safe base64 without padding.
    public static func randomToken(bytes: Int = 24) -> String { fatalError("skeleton") }
    /// A random (version 4) UUID in lower case.
    public static func randomUUID() -> String { fatalError("skeleton") }
    /// In time that does not depend on where they differ.
    public static func equal(_ a: Secret, _ b: Secret) -> Bool { fatalError("skeleton") }
    /// BLAKE2b, 32 bytes, as lower-case hexadecimal.
    public static func fingerprint(_ text: String) -> String { fatalError("skeleton") }
}

public enum VaultError: Error, Sendable, Equatable {
    case badKey
    case cannotOpen
}
