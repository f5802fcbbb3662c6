import Base

extension DifyCall {
    /// Documentation: the contract's `/audio-to-text`. The common `audio/mpeg` is not among the types that it takes.
    func audioToText() throws -> HTTPResponse {
        guard let transcribe = app.transcribe else {
            throw DifyError(status: 400, code: "speech_to_text_disabled", message: "Speech to text is disabled.")
        }
        let parts = (try? Multipart.decode(request.body, contentType: request.headers["Content-Type"] ?? "")) ?? []
        guard let file = parts.first(where: { $0.name == "file" }) else {
            throw DifyError(status: 400, code: "no_audio_uploaded", message: "Please upload your audio.")
        }
        guard ["mp3", "m4a", "wav", "amr", "mpga"].contains(where: { file.contentType == "audio/\($0)" }) else {
            throw DifyError(status: 415, code: "unsupported_audio_type", message: "Audio type not allowed.")
        }
        if file.body.count > 30 * 1024 * 1024 {
            throw DifyError(status: 413, code: "audio_too_large", message: "Audio size larger than 30 mb")
        }
        return .dify { $0.member("text", transcribe(file.body)) }
    }
}
