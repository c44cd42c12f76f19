using System.Globalization;

namespace Breakwater.TestSupport;

/// <summary>The head of an answer, as it was on the wire.</summary>
/// <param name="StatusLine">E.g. <c>HTTP/1.1 200 OK</c>.</param>
/// <param name="Status">The status code.</param>
/// <param name="Headers">Header lines in order, without line ends.</param>
public sealed record RawResponseHead(string StatusLine, int Status, IReadOnlyList<string> Headers)
{
    /// <summary>Content-Length; null when it was not sent.</summary>
    public long? ContentLength => Header("Content-Length") is { } value ? long.Parse(value, CultureInfo.InvariantCulture) : null;

    /// <summary>Does the body come in chunks?</summary>
    public bool IsChunked => string.Equals(Header("Transfer-Encoding"), "chunked", StringComparison.OrdinalIgnoreCase);

    /// <summary>The value of the first header of that name; null when there is none.</summary>
    public string? Header(string name) => AllHeaders(name).FirstOrDefault();

    /// <summary>The values of all headers of that name.</summary>
    public IEnumerable<string> AllHeaders(string name) => Headers
        .Where(line => line.Length > name.Length && line[name.Length] == ':' && line.StartsWith(name, StringComparison.OrdinalIgnoreCase))
        .Select(line => line[(name.Length + 1)..].Trim());

    internal static RawResponseHead Parse(string text)
    {
        string[] lines = text.Split("\r\n");
        string[] words = lines[0].Split(' ', 3);
        return words.Length >= 2 && words[0].StartsWith("HTTP/1.", StringComparison.Ordinal)
            && int.TryParse(words[1], NumberStyles.None, CultureInfo.InvariantCulture, out int status)
            ? new RawResponseHead(lines[0], status, lines[1..])
            : throw new InvalidDataException($"Not a status line of HTTP/1: '{lines[0]}'.");
    }
}
