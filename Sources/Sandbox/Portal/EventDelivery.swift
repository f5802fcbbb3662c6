import Base

/// An event on its way out. Documentation: `api-reference/events/index.md`.
struct OutgoingEvent: Sendable {
    var name: String
    var url: String
    /// The binding's number; the second generation's bodies have none.
    var handlerID: Int?
    var data: JSON
    var auth: JSON
    var date: Timestamp
    var chatID: Int?
    var messageID: Int?
    var isSecondGeneration: Bool

    /// The body and its content type.
    func body(asJSON: Bool) -> (bytes: [UInt8], type: String) {
        var tree: JSON = ["event": .string(name), "data": data, "auth": auth]
        if let handlerID { tree["event_handler_id"] = .text(handlerID) }
        tree["ts"] = .integer(date.rawValue / 1000)
        if asJSON { return (tree.bytes, "application/json") }
        return (Array(Form.encode(tree).utf8), "application/x-www-form-urlencoded")
    }
}

/// Events that wait for their turn: one after another within a chat and address.
struct DeliveryQueue: Sendable {
    struct Lane: Hashable, Sendable {
        var chatID: Int?
        var url: String
    }
    /// Events made in the step that is under way.
    var made: [OutgoingEvent] = []
    /// Events in lanes and events under way.
    var pending = 0
    var waiters: [CheckedContinuation<Void, Never>] = []
    private var lanes: [Lane: [OutgoingEvent]] = [:]

    /// What is to be started: lanes that were idle, or single events where no order is kept.
    mutating func takeStarts(inOrder: Bool) -> (lanes: [Lane], events: [OutgoingEvent]) {
        guard !made.isEmpty else { return ([], []) }
        let events = made
        made = []
        pending += events.count
        guard inOrder else { return ([], events) }
        var started: [Lane] = []
        for event in events {
            let lane = Lane(chatID: event.chatID, url: event.url)
            if lanes[lane] == nil { started.append(lane) }
            lanes[lane, default: []].append(event)
        }
        return (started, [])
    }

    /// The next event of a lane; an empty lane is closed.
    mutating func next(in lane: Lane) -> OutgoingEvent? {
        guard let events = lanes[lane], !events.isEmpty else {
            lanes[lane] = nil
            return nil
        }
        return lanes[lane]?.removeFirst()
    }

    /// Drops what waits.
    mutating func clear() -> [CheckedContinuation<Void, Never>] {
        lanes = [:]
        made = []
        pending = 0
        defer { waiters = [] }
        return waiters
    }
}

extension SimulatedPortal {
    /// Changes the portal's state in one step and sends the events that the step made.
    func change<Result: Sendable>(_ body: (inout PortalState) throws -> Result) throws -> Result {
        let (result, starts) = try state.withLock { state in
            let result = try body(&state)
            return (result, state.deliveryQueue.takeStarts(inOrder: state.plan.disorder == nil))
        }
        for lane in starts.lanes { Task { await self.deliver(lane) } }
        for event in starts.events { Task { await self.deliver(event) } }
        return result
    }

    private func deliver(_ lane: DeliveryQueue.Lane) async {
        while let event = state.withLock({ $0.deliveryQueue.next(in: lane) }) { await deliver(event) }
    }

    /// Posts an event as often as the plan says. Whatever the handler answers, it is not posted again.
    private func deliver(_ event: OutgoingEvent) async {
        let plan = state.withLock { $0.plan }
        if plan.lost == 0 || Double.random(in: 0..<1) >= plan.lost {
            let body = event.body(asJSON: plan.jsonForSecondGeneration && event.isSecondGeneration)
            if plan.copies == 1, plan.disorder == nil {
                await post(event, body.bytes, type: body.type, plan)
            } else {
                await withTaskGroup { group in
                    for _ in 0..<plan.copies {
                        group.addTask {
                            if let disorder = plan.disorder {
                                try? await Task.sleep(for: randomDuration(in: .zero...disorder))
                            }
                            await self.post(event, body.bytes, type: body.type, plan)
                        }
                    }
                }
            }
        }
        let waiters = state.withLock { state in
            state.deliveryQueue.pending = max(0, state.deliveryQueue.pending - 1)
            guard state.deliveryQueue.pending == 0 else { return [CheckedContinuation<Void, Never>]() }
            defer { state.deliveryQueue.waiters = [] }
            return state.deliveryQueue.waiters
        }
        for waiter in waiters { waiter.resume() }
    }

    private func post(_ event: OutgoingEvent, _ body: [UInt8], type: String, _ plan: DeliveryPlan) async {
        var request = HTTPClient.Request(
            .post, event.url, headers: ["Content-Type": type, "User-Agent": "Bitrix24 Webhook Engine"], body: body,
            trust: .privateAllowed)
        settings.observe?(Posted(kind: .event, target: event.url, contentType: type, body: body))
        request.timeouts.total = plan.timeout
        request.timeouts.firstByte = plan.timeout
        let time = WallClock.system.now
        let start = ContinuousClock.now
        let status = try? await http.send(request).status
        let duration = ContinuousClock.now - start
        state.withLock { state in
            let delivery = state.deliveries.append { number in
                Delivery(
                    number: number, event: event.name, url: event.url, data: event.data, chatID: event.chatID,
                    messageID: event.messageID, time: time, duration: duration, status: status)
            }
            if let delivery { state.tell(.delivered(delivery)) }
        }
        if status != 200 {
            log.warning("portal.event_not_taken", ["event": .text(event.name), "status": .integer(Int64(status ?? 0))])
        }
    }

    /// Waits until every event made so far has been delivered or given up.
    public func settle() async {
        await withCheckedContinuation { continuation in
            let isIdle = state.withLock { state in
                if state.deliveryQueue.pending == 0 { return true }
                state.deliveryQueue.waiters.append(continuation)
                return false
            }
            if isIdle { continuation.resume() }
        }
    }
}
