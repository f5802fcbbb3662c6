import Glibc
import Synchronization

/// A program started for a test; killed with the last reference to it.
public final class ChildProcess: Sendable {
    public let id: pid_t
    private let ended = Mutex<Int32?>(nil)

    /// Starts a program with its output thrown away and none of our open files.
    /// - Throws: ``SystemFailure`` that names the call.
    public init(_ program: String, _ arguments: [String]) throws {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for descriptor: Int32 in 0...2 {
            posix_spawn_file_actions_addopen(&actions, descriptor, "/dev/null", O_RDWR, 0)
        }
        // Closing a descriptor that is not open does no harm.
        for descriptor: Int32 in 3..<1024 { posix_spawn_file_actions_addclose(&actions, descriptor) }
        var words: [UnsafeMutablePointer<CChar>?] = ([program] + arguments).map { strdup($0) }
        words.append(nil)
        defer { for word in words { free(word) } }
        var id: pid_t = 0
        let code = posix_spawn(&id, program, &actions, nil, words, environ)
        guard code == 0 else { throw SystemFailure(call: "posix_spawn \(program)", code: code) }
        self.id = id
    }

    public var isRunning: Bool { wait(WNOHANG) == nil }

    public func signal(_ number: Int32) {
        ended.withLock { if $0 == nil { _ = kill(id, number) } }
    }

    /// Kills it and waits until it is gone.
    public func stop() {
        signal(SIGKILL)
        _ = wait(0)
    }

    deinit { stop() }

    /// The way it ended, or `nil` while it runs.
    private func wait(_ options: Int32) -> Int32? {
        ended.withLock { ended in
            var status: Int32 = 0
            if ended == nil, waitpid(id, &status, options) == id { ended = status }
            return ended
        }
    }
}
