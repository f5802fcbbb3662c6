import Base
import Foundation

/// An exclusive lock, held as long as the value lives.
public final class StoreLock: Sendable {
    private let descriptor: Int32

    /// Locks the data folder; makes it (mode 0700) if it is missing.
    /// - Throws: ``StoreError/locked(path:)`` while another process (or value) holds it;
    ///   ``StoreError/cannotOpen(path:reason:)``.
    public convenience init(folder: String) throws {
        try makeFolder(folder)
        try self.init(folder, file: folder + "/lock")
    }

    /// Locks the store by a file beside it: it may be outside the data folder, or be led to by a link.
    /// - Throws: as ``init(folder:)``.
    public convenience init(database path: String) throws {
        try self.init(path, file: withoutLinks(path) + "-lock")
    }

    private init(_ path: String, file: String) throws {
        let opened = Glibc.open(file, O_CREAT | O_RDWR | O_CLOEXEC, 0o600)
        guard opened >= 0 else { throw StoreError.cannotOpen(path: path, reason: lastSystemError()) }
        guard flock(opened, LOCK_EX | LOCK_NB) == 0 else {
            let taken = errno == EWOULDBLOCK
            let reason = lastSystemError()
            Glibc.close(opened)
            throw taken ? StoreError.locked(path: path) : .cannotOpen(path: path, reason: reason)
        }
        descriptor = opened
    }

    deinit { Glibc.close(descriptor) }
}

/// The files of a store on the disk.
public enum StoreFiles {
    /// Gives the store and its key the mode that they are made with (0600): those that were copied back from a backup may be
    /// there for everybody to read.
    /// - Returns: what others can read all the same: files of another user, or the data folder, which may hold more than a store
    ///   and is left as it is.
    public static func hideFromOthers(database path: String, folder: String) -> [String] {
        let path = withoutLinks(path)
        let files = [path, path + "-wal", path + "-shm", folder + "/secret.key"]
        for file in files where isOpen(file, to: 0o077) { chmod(file, 0o600) }
        return files.filter { isOpen($0, to: 0o077) } + (isOpen(folder, to: 0o007) ? [folder] : [])
    }

    private static func isOpen(_ path: String, to others: mode_t) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & others != 0
    }
}

extension Vault {
    /// The key from `BITBOT_SECRET_KEY` (base64), else from `secret.key` in the data folder, generated there (mode 0600)
    /// when the folder holds no store yet.
    /// - Throws: ``VaultError/badKey``; ``StoreError/wrongKey`` when there is a store but no key.
    public static func forDataFolder(_ folder: String, environmentKey: String?) throws -> Vault {
        if let environmentKey { return try Vault(base64Key: environmentKey) }
        let path = folder + "/secret.key"
        if let kept = FileManager.default.contents(atPath: path) {
            do {
                return try Vault(base64Key: String(decoding: kept, as: UTF8.self))
            } catch {
                throw StoreError.cannotOpen(
                    path: path, reason: "it does not hold 32 bytes in base64: take it from a backup")
            }
        }
        guard !FileManager.default.fileExists(atPath: path) else {
            throw StoreError.cannotOpen(path: path, reason: "it cannot be read")
        }
        guard !FileManager.default.fileExists(atPath: folder + "/bitbot.db") else { throw StoreError.wrongKey }
        try makeFolder(folder)
        let key = Vault.randomBytes(32)
        try writeDurably(Array((Data(key).base64EncodedString() + "\n").utf8), to: path, in: folder)
        return try Vault(key: key)
    }

    private init(base64Key: String) throws {
        guard let key = Data(base64Encoded: base64Key.trimmingCharacters(in: .whitespacesAndNewlines)) else {
            throw VaultError.badKey
        }
        try self.init(key: Array(key))
    }
}

private func withoutLinks(_ path: String) -> String { URL(filePath: path).resolvingSymlinksInPath().path }

private func makeFolder(_ folder: String) throws {
    do {
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    } catch {
        throw StoreError.cannotOpen(path: folder, reason: "the folder cannot be made")
    }
}

/// The whole file or none of it is there after a power cut: what it unlocks may be written right after.
private func writeDurably(_ bytes: [UInt8], to path: String, in folder: String) throws {
    let draft = path + ".new"
    let file = Glibc.open(draft, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0o600)
    guard file >= 0 else { throw StoreError.cannotOpen(path: draft, reason: lastSystemError()) }
    let written = write(file, bytes, bytes.count) == bytes.count && fsync(file) == 0
    let reason = lastSystemError()
    Glibc.close(file)
    guard written, rename(draft, path) == 0 else { throw StoreError.cannotOpen(path: draft, reason: reason) }
    let directory = Glibc.open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    if directory >= 0 {
        fsync(directory)
        Glibc.close(directory)
    }
}

private func lastSystemError() -> String { String(cString: strerror(errno)) }
