import Glibc
import Synchronization

/// A program started for a test; killed with the last reference to it.
public final class ChildProcess: Sendable {
    public let id: pid_t
    private let ended = Mutex<Int32?>(nil)

    /// Starts a program with none of our open files.
    /// - Parameters:
    ///   - environment: all that it gets; `nil`: ours.
    ///   - output: a file to which its standard output and error are added; `nil`: they are thrown away.
    /// - Throws: ``SystemFailure`` that names the call.
    public init(
        _ program: String, _ arguments: [String], environment: [String: String]? = nil, output: String? = nil
    ) throws {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDWR, 0)
        for descriptor: Int32 in 1...2 {
            posix_spawn_file_actions_addopen(
                &actions, descriptor, output ?? "/dev/null", O_WRONLY | O_APPEND | O_CREAT, 0o600)
        }
        // Closing a descriptor that is not open does no harm.
        for descriptor: Int32 in 3..<1024 { posix_spawn_file_actions_addclose(&actions, descriptor) }
        let words = copies(of: [program] + arguments)
        let settings = environment.map { copies(of: $0.map { "\($0)=\($1)" }) }
        defer { for word in words + (settings ?? []) { free(word) } }
        var id: pid_t = 0
        let code =
            if let settings {
                posix_spawn(&id, program, &actions, nil, words, settings)
            } else {
                posix_spawn(&id, program, &actions, nil, words, environ)
            }
        guard code == 0 else { throw SystemFailure(call: "posix_spawn \(program)", code: code) }
        self.id = id
    }

    public var isRunning: Bool { wait(WNOHANG) == nil }

    /// What it ended with: its exit code, or minus the signal that killed it; `nil` while it runs.
    public var exitCode: Int32? {
        wait(WNOHANG).map { status in
            let signal = status & 0x7F
            return signal == 0 ? (status >> 8) & 0xFF : -signal
        }
    }

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

/// The strings in C's form, closed by a `nil`; whoever calls frees them.
private func copies(of strings: [String]) -> [UnsafeMutablePointer<CChar>?] { strings.map { strdup($0) } + [nil] }
