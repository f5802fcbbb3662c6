import Glibc

/// Work that waits for a thread. Threads sleep while there is none; a thread that is awake is not woken again.
///
/// `@unchecked Sendable`: the fields are touched only while `mutex` is held; `mutex` and `condition` are allocated once,
/// never moved, and freed with the queue.
final class JobQueue<Item: Sendable>: @unchecked Sendable {
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let condition: UnsafeMutablePointer<pthread_cond_t>
    private var items: [Item] = []
    private var first = 0
    private var sleeping = 0
    private var closed = false

    init() {
        mutex = .allocate(capacity: 1)
        condition = .allocate(capacity: 1)
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(condition, nil)
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    /// How many wait.
    var count: Int { locked { items.count - first } }

    /// - Returns: false once the queue is closed; then the item was not taken.
    func append(_ item: Item) -> Bool {
        locked {
            if closed { return false }
            items.append(item)
            if sleeping > 0 { pthread_cond_signal(condition) }
            return true
        }
    }

    /// Waits for work and takes all of it; `nil` when the queue is closed and empty.
    func takeAll() -> [Item]? {
        locked {
            guard waitForWork() else { return nil }
            let taken = first == 0 ? items : Array(items[first...])
            items = []
            first = 0
            return taken
        }
    }

    /// Waits for work and takes the oldest; `nil` when the queue is closed and empty.
    func takeOne() -> Item? {
        locked {
            guard waitForWork() else { return nil }
            let taken = items[first]
            first += 1
            if first == items.count {
                items.removeAll(keepingCapacity: true)
                first = 0
            } else if first > 1000 {
                items.removeFirst(first)
                first = 0
            }
            return taken
        }
    }

    /// Takes no more work; threads get what waits, then `nil`.
    func close() {
        locked {
            closed = true
            pthread_cond_broadcast(condition)
        }
    }

    private func waitForWork() -> Bool {
        while first == items.count {
            if closed { return false }
            sleeping += 1
            pthread_cond_wait(condition, mutex)
            sleeping -= 1
        }
        return true
    }

    private func locked<T>(_ body: () -> T) -> T {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return body()
    }
}
