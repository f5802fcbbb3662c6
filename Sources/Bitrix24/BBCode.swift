/// Bitrix24's text markup.
public enum BBCode {
    /// Characters of one message; Bitrix24 cuts longer ones.
    public static let longestMessage = 20_000

    /// Turns a bot's Markdown (GitHub's flavour) into BB code: bold, italic, strike, code, links, lists, quotes, headings,
    /// and tables readable as text. Markup of Bitrix24 that the bot wrote itself is kept. Runs off the event loops; input
    /// that would stall the renderer (DESIGN's bounds) is kept as text.
    public static func render(markdown: String) async -> String { fatalError("skeleton") }

    /// Cuts a long text at paragraph ends (else line ends, sentence ends, words), each piece at most `limit` characters,
    /// tags closed and opened again at a cut.
    public static func split(_ text: String, limit: Int = longestMessage) -> [String] { fatalError("skeleton") }
}
