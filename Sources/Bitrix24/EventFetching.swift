import Base
import Foundation

/// One bot's turn of fetching.
public struct EventPoll: Sendable, Hashable {
    public var botID: Int64
    /// What the last answer gave as ``FetchedEvents/nextOffset``: confirms all events before it. `nil` the first time.
    public var offset: Int64?
    /// At most so many events, from 1 to 1000.
    public var limit: Int
    public init(botID: Int64, offset: Int64?, limit: Int) {
        self.botID = botID
        self.offset = offset
        self.limit = limit
    }
}

/// An event that was fetched. It has no `auth` of its own.
public struct FetchedEvent: Sendable {
    public var id: Int64
    /// Identifies it with its id, should a portal count anew.
    public var date: String
    public var type: String
    public var data: JSON
}

extension FetchedEvent {
    /// The event in the form that webhooks get, with JSON's types; what is stored of it.
    public func body(memberID: String) -> [UInt8] {
        var tree: JSON = ["event": .string(type), "data": data, "auth": ["member_id": .string(memberID)]]
        if let date = try? Date(date, strategy: .iso8601), let seconds = Int64(exactly: date.timeIntervalSince1970) {
            tree["ts"] = .integer(seconds)
        }
        return tree.bytes
    }
}

public struct FetchedEvents: Sendable {
    /// By id, the oldest first.
    public var events: [FetchedEvent]
    /// Confirms these events when it is given with the next poll; `nil` if the portal gave none.
    public var nextOffset: Int64?
    public var hasMore: Bool
}

extension Portal {
    /// Fetches the events of several bots of one account in one request.
    ///
    /// Documentation: `api-reference/chat-bots/chat-bots-v2/imbot.v2/events/event-get.md`.
    /// - Parameter polls: at most 50.
    /// - Returns: an outcome for each poll, in order.
    /// - Throws: ``PortalError`` when the whole request failed, or `CancellationError`.
    public func fetchEvents(
        _ polls: [EventPoll], as account: Account
    ) async throws -> [Result<FetchedEvents, PortalError>] {
        var calls: [PortalCall] = []
        for poll in polls { calls.append(try await account.completed(poll.call)) }
        if calls.count == 1 {
            return [Self.events(in: try await call(calls[0], as: account))]
        }
        var commands: Members<JSON> = [:]
        for (index, call) in calls.enumerated() { commands["c\(index)"] = .string(call.batchCommand ?? call.method) }
        let answer = try await call(PortalCall("batch", ["halt": 0, "cmd": .object(commands)]), as: account)
        return calls.indices.map { index in
            switch RESTAnswer(command: "c\(index)", in: answer).result {
            case .success(let result): Self.events(in: result)
            case .failure(let error): .failure(error)
            }
        }
    }

    /// An entry without a number or name cannot be told from others; it is passed over with the rest.
    private static func events(in result: JSON) -> Result<FetchedEvents, PortalError> {
        guard case .object = result, let list = result["events"] else {
            return .failure(.unexpected("imbot.v2.Event.get", without: "the list of events"))
        }
        let events = list.looseList.compactMap { entry -> FetchedEvent? in
            guard let id = entry["eventId"]?.looseInteger, let type = entry["type"]?.looseText else { return nil }
            return FetchedEvent(
                id: id, date: entry["date"]?.looseText ?? "", type: type, data: entry["data"] ?? .null)
        }
        return .success(
            FetchedEvents(
                events: events.sorted { $0.id < $1.id }, nextOffset: result["nextOffset"]?.looseInteger,
                hasMore: result["hasMore"]?.looseFlag ?? false))
    }
}

extension EventPoll {
    fileprivate var call: PortalCall {
        var parameters: JSON = ["botId": .integer(botID), "limit": .integer(Int64(min(max(limit, 1), 1_000)))]
        if let offset { parameters["offset"] = .integer(offset) }
        return PortalCall("imbot.v2.Event.get", parameters)
    }
}
