import Base

/// What a person said, as an answer to what the flow asks.
struct TypebotMessage {
    /// `nil`: nothing is said, which skips a file that is not required.
    let json: JSON?

    /// Uploads files where the flow takes them.
    /// - Parameter input: `nil` where the flow takes any text.
    /// - Throws: ``PlatformError``, `CancellationError`.
    init(_ question: Question, to input: TypebotInput?, uploads: TypebotUploads) async throws {
        let text = Self.words(of: question).withoutNUL
        json =
            switch input?.kind {
            case .file: try await Self.files(question, text, input, uploads)
            case .text: try await Self.free(question, text, input, uploads)
            // Without a page there is no payment, and any other word would count as one.
            case .payment: Self.text("fail")
            case .choice, .pictureChoice: Self.choice(question, text, input)
            case .cards: Self.text((input?.option(namedBy: question) ?? question.chosen.first)?.value ?? text)
            case .rating: Self.text(question.chosen.first?.value ?? text)
            default: Self.text(text)
            }
    }

    private static func text(_ text: String) -> JSON { ["type": "text", "text": .string(text)] }

    /// A command that the flow does not have is said as it was typed.
    private static func words(of question: Question) -> String {
        guard question.kind == .command, let name = question.variables["COMMAND"], !name.isEmpty else {
            return question.chosen.isEmpty ? question.text : question.chosen.map(\.label).joined(separator: ", ")
        }
        let parameters = question.variables["COMMAND_PARAMS"] ?? ""
        return parameters.isEmpty ? "/\(name)" : "/\(name) \(parameters)"
    }

    /// Typebot goes by ids before anything else (`parseSingleChoiceReply.ts`, `parseMultipleChoiceReply.ts`). In the words of
    /// several it would find other items' values and numbers as well.
    private static func choice(_ question: Question, _ text: String, _ input: TypebotInput?) -> JSON {
        var message = Self.text(text)
        guard let input else { return message }
        if input.takesSeveral {
            guard !question.chosen.isEmpty else { return message }
            // An id is taken out where it is found first, so it must not come after one that contains it.
            let ids = question.chosen.map(\.value).sorted { $0.utf8.count < $1.utf8.count }
            message["text"] = .string(ids.joined(separator: ", "))
        } else if let choice = input.option(namedBy: question) ?? question.chosen.first {
            message["text"] = .string(input.needsIDs ? choice.value : choice.label)
            message["metadata"] = ["replyId": .string(choice.value)]
        }
        return message
    }

    /// What cannot be uploaded is said by name: the flow then tells the person in its own words what it wants.
    private static func files(
        _ question: Question, _ text: String, _ input: TypebotInput?, _ uploads: TypebotUploads
    ) async throws -> JSON? {
        guard let input else { return Self.text(text) }
        let links = try await uploads.upload(
            input.takesSeveralFiles ? question.files : Array(question.files.prefix(1)), to: input)
        if !links.isEmpty { return Self.text(links.joined(separator: ", ")) }
        let skips = [input.skip.lowercased(), "skip"].contains(text.lowercased().trimmed)
        return skips && !input.isRequired ? nil : Self.text(text)
    }

    private static func free(
        _ question: Question, _ text: String, _ input: TypebotInput?, _ uploads: TypebotUploads
    ) async throws -> JSON {
        guard let input else { return Self.text(text) }
        if input.takesAudio, let voice = question.files.first(where: \.mediaType.isAudio),
            text.isEmpty || text == "File sent: \(voice.name)",
            let link = try await uploads.upload([voice], to: input).first
        {
            return ["type": "audio", "url": .string(link)]
        }
        var message = Self.text(text)
        if input.takesAttachments {
            let links = try await uploads.upload(question.files, to: input)
            if !links.isEmpty { message["attachedFileUrls"] = .array(links.map(JSON.string)) }
        }
        return message
    }
}
