import CBase

/// Hashes of passwords: Argon2id by libsodium, with its "interactive" costs (64 MB, some 50 ms).
public enum PasswordHash {
    /// - Returns: the hash with its salt and costs, as one text.
    public static func make(_ password: Secret) -> String {
        Sodium.start()
        let text = password.reveal()
        var hash = [CChar](repeating: 0, count: Int(crypto_pwhash_STRBYTES))
        let made = crypto_pwhash_str(
            &hash, text, UInt64(text.utf8.count), UInt64(crypto_pwhash_OPSLIMIT_INTERACTIVE),
            Int(crypto_pwhash_MEMLIMIT_INTERACTIVE))
        precondition(made == 0, "no memory for hashing a password")
        return String(decoding: hash.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    public static func matches(_ password: Secret, _ hash: String) -> Bool {
        Sodium.start()
        let text = password.reveal()
        return crypto_pwhash_str_verify(hash, text, UInt64(text.utf8.count)) == 0
    }
}
