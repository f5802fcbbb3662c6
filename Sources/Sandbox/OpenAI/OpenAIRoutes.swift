import Base

/// What the simulated server takes and refuses.
extension SimulatedOpenAI {
    func observed(_ request: HTTPRequest) async -> HTTPResponse {
        let (start, time) = (ContinuousClock.now, WallClock.system.now)
        let response = answer(request)
        settings.observe?(
            WireCall(
                kind: .platform, method: request.method.rawValue, target: request.path, time: time,
                status: response.status, duration: ContinuousClock.now - start,
                parameters: (try? JSON(parsing: request.body)) ?? [:]))
        return response
    }

    private func answer(_ request: HTTPRequest) -> HTTPResponse {
        guard request.method == .post, request.path == settings.prefix + "/chat/completions" else {
            return .openAIError(
                404, type: "invalid_request_error", code: nil,
                message: "Invalid URL (\(request.method.rawValue) \(request.path))")
        }
        if let key = settings.key, request.headers["Authorization"] != "Bearer \(key.reveal())" {
            return .openAIError(
                401, type: "invalid_request_error", code: "invalid_api_key", message: "Incorrect API key provided.")
        }
        guard let body = try? JSON(parsing: request.body), body.object != nil else {
            return .openAIError(
                400, type: "invalid_request_error", code: nil,
                message: "We could not parse the JSON body of your request.")
        }
        do {
            let ask = try Ask(body, models: settings.models)
            note(ask)
            return answer(ask, streams: body["stream"]?.bool == true && !settings.cannotStream, body)
        } catch let refusal as Refusal {
            return .openAIError(
                refusal.status, type: "invalid_request_error", code: refusal.code, message: refusal.message)
        } catch {
            return .openAIError(500, type: "server_error", code: nil, message: "The server had an error.")
        }
    }

    private func answer(_ ask: Ask, streams: Bool, _ body: JSON) -> HTTPResponse {
        let steps = script(ask)
        if case .refuse(let status, let type, let code, let message, let retryAfter)? = steps.first {
            var response = HTTPResponse.openAIError(status, type: type, code: code, message: message)
            if let retryAfter { response.headers["Retry-After"] = String(retryAfter) }
            return response
        }
        let wire = OpenAIWire(
            model: ask.model, withUsage: body["stream_options"]?["include_usage"]?.bool == true,
            pieceBytes: settings.pieceBytes)
        return streams ? wire.stream(steps) : wire.whole(steps)
    }

    struct Refusal: Error {
        var status = 400
        var code: String?
        var message: String
    }
}

extension SimulatedOpenAI.Ask {
    /// - Throws: ``SimulatedOpenAI/Refusal``.
    init(_ body: JSON, models: [String]) throws {
        guard let model = body["model"]?.string, !model.isEmpty else {
            throw SimulatedOpenAI.Refusal(message: "you must provide a model parameter")
        }
        guard models.contains(model) else {
            throw SimulatedOpenAI.Refusal(
                status: 404, code: "model_not_found",
                message: "The model `\(model)` does not exist or you do not have access to it.")
        }
        guard let list = body["messages"]?.array, !list.isEmpty else {
            throw SimulatedOpenAI.Refusal(message: "Missing required parameter: 'messages'.")
        }
        self.model = model
        switch body["temperature"] {
        case nil, .null?: break
        case .integer(let value)?: temperature = Double(value)
        case .number(let value)?: temperature = value
        default: throw SimulatedOpenAI.Refusal(message: "Invalid type for 'temperature': expected a decimal.")
        }
        if let temperature, !(0...2).contains(temperature) {
            throw SimulatedOpenAI.Refusal(message: "Invalid 'temperature': expected a value between 0 and 2.")
        }
        messages = try list.enumerated().map { try Message($0.element, place: "messages[\($0.offset)]") }
    }
}

extension SimulatedOpenAI.Ask.Message {
    fileprivate init(_ json: JSON, place: String) throws {
        let roles = ["system", "developer", "user", "assistant"]
        guard let role = json["role"]?.string, roles.contains(role) else {
            throw SimulatedOpenAI.Refusal(message: "Invalid value for '\(place).role'.")
        }
        self.role = role
        text = ""
        images = []
        if let content = json["content"]?.string {
            text = content
            return
        }
        guard let parts = json["content"]?.array, !parts.isEmpty else {
            throw SimulatedOpenAI.Refusal(message: "Invalid type for '\(place).content'.")
        }
        for part in parts {
            switch part["type"]?.string {
            case "text": text += part["text"]?.string ?? ""
            case "image_url" where role == "user":
                guard let url = part["image_url"]?["url"]?.string, url.hasPrefix("data:image/") || url.hasPrefix("http")
                else {
                    throw SimulatedOpenAI.Refusal(code: "invalid_image_url", message: "Invalid image in \(place).")
                }
                images.append(url)
            default: throw SimulatedOpenAI.Refusal(message: "Invalid value for '\(place).content[].type'.")
            }
        }
    }
}

extension HTTPResponse {
    fileprivate static func openAIError(_ status: Int, type: String, code: String?, message: String) -> HTTPResponse {
        let body: JSON = ["error": OpenAIWire.error(type: type, code: code, message: message)]
        return HTTPResponse(
            status: status, headers: ["Content-Type": "application/json"], body: .bytes(body.bytes))
    }
}
