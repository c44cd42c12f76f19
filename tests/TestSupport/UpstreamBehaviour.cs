namespace Breakwater.TestSupport;

/// <summary>
/// What a <see cref="ScriptedUpstream"/> does with a request. The default answers properly; every property spoils one thing, and they
/// combine (<c>Behaviour.Default with { … }</c>). Positions are bytes of the body as it is sent.
/// </summary>
public sealed record UpstreamBehaviour
{
    /// <summary>Answers as a well-kept Stratum 1.</summary>
    public static UpstreamBehaviour Default { get; } = new();

    /// <summary>404, with a Stratum 1's little HTML page.</summary>
    public static UpstreamBehaviour NotFound { get; } = new() { Status = 404 };

    /// <summary>Closes the connection without an answer.</summary>
    public static UpstreamBehaviour CloseWithoutAnswer { get; } = new() { CloseInsteadOfAnswer = true };

    /// <summary>Resets the connection (RST) without an answer.</summary>
    public static UpstreamBehaviour ResetWithoutAnswer { get; } = new() { ResetAt = -1 };

    /// <summary>Takes the request and never answers.</summary>
    public static UpstreamBehaviour NeverAnswers { get; } = new() { HeadGate = new Gate() };

    /// <summary>Sends the body twice, with the length of both: what a Stratum 1 with a broken cache was seen to do.</summary>
    public static UpstreamBehaviour Doubled { get; } = new() { DoubleBody = true };

    /// <summary>A captive portal: status 200 with a HTML page.</summary>
    public static UpstreamBehaviour HtmlPage { get; } =
        new() { ReplaceBody = "<html><body>Please log in</body></html>"u8.ToArray(), ContentType = "text/html" };

    /// <summary>Something that is not HTTP.</summary>
    public static UpstreamBehaviour NotHttp { get; } = new() { RawAnswer = "SSH-2.0-OpenSSH_9.6\r\n"u8.ToArray() };

    /// <summary>Status of the answer; anything but 200 comes with a small HTML body. Default 200 (206 for a range).</summary>
    public int Status { get; init; } = 200;

    /// <summary>Waits this long before the head is sent (on the upstream's clock).</summary>
    public TimeSpan DelayBeforeHead { get; init; }

    /// <summary>Holds the head back until the gate is open.</summary>
    public Gate? HeadGate { get; init; }

    /// <summary>Gates inside the body: all bytes before the position are sent, then the gate must open. Ascending.</summary>
    public IReadOnlyList<(long Position, Gate Gate)> BodyGates { get; init; } = [];

    /// <summary>Sends the body at this rate, in 10 steps a second. 0: as fast as it goes.</summary>
    public int BytesPerSecond { get; init; }

    /// <summary>Closes the connection after this many bytes of the body, in spite of the Content-Length. Null: never.</summary>
    public long? TruncateAt { get; init; }

    /// <summary>Resets the connection (RST) after this many bytes of the body; −1: before the head. Null: never.</summary>
    public long? ResetAt { get; init; }

    /// <summary>Flips the lowest bit of the byte at this position of the object. Null: none.</summary>
    public long? FlipBitAt { get; init; }

    /// <summary>Sends the body twice.</summary>
    public bool DoubleBody { get; init; }

    /// <summary>Sends this in place of the file's bytes.</summary>
    public byte[]? ReplaceBody { get; init; }

    /// <summary>Sends these bytes in place of a whole answer, then closes.</summary>
    public byte[]? RawAnswer { get; init; }

    /// <summary>Takes the next request on the same connection behind <see cref="RawAnswer"/>.</summary>
    public bool KeepsConnection { get; init; }

    /// <summary>Closes the connection instead of answering.</summary>
    public bool CloseInsteadOfAnswer { get; init; }

    /// <summary>Sends an informational answer (103, …) before the real one. 0: none.</summary>
    public int Informational { get; init; }

    /// <summary>Compresses the body and says <c>Content-Encoding: gzip</c> without being asked.</summary>
    public bool GzipEncode { get; init; }

    /// <summary>Says this Content-Length, whatever the body's length is. Null: the truth.</summary>
    public long? DeclaredLength { get; init; }

    /// <summary>Sends the body chunked, without Content-Length.</summary>
    public bool Chunked { get; init; }

    /// <summary>Sends neither Content-Length nor chunks: the body ends with the connection.</summary>
    public bool EndsWithConnection { get; init; }

    /// <summary>Answers the range of a request with 206; false: ignores it and sends all with 200. Default true.</summary>
    public bool SupportsRange { get; init; } = true;

    /// <summary>Answers 302 to this location. Null: no redirect.</summary>
    public string? RedirectTo { get; init; }

    /// <summary>Content type; null: a Stratum 1's.</summary>
    public string? ContentType { get; init; }

    /// <summary>Cache-Control; null: a Stratum 1's.</summary>
    public string? CacheControl { get; init; }

    /// <summary>Further header lines, without line ends.</summary>
    public IReadOnlyList<string> ExtraHeaders { get; init; } = [];

    /// <summary>Says <c>Connection: close</c> and closes after the answer.</summary>
    public bool CloseAfterAnswer { get; init; }

    /// <summary>Some error status.</summary>
    public static UpstreamBehaviour WithStatus(int status) => new() { Status = status };

    /// <summary>Stops after that many bytes of the body and holds the connection open until the upstream is disposed.</summary>
    public static UpstreamBehaviour StallsAt(long position) => new() { BodyGates = [(position, new Gate())] };

    /// <summary>Stops after that many bytes of the body until the gate is open.</summary>
    public static UpstreamBehaviour WaitsAt(long position, Gate gate) => new() { BodyGates = [(position, gate)] };

    /// <summary>Holds the whole answer back until the gate is open.</summary>
    public static UpstreamBehaviour WaitsBeforeHead(Gate gate) => new() { HeadGate = gate };

    /// <summary>Closes the connection after that many bytes of the body.</summary>
    public static UpstreamBehaviour TruncatesAt(long position) => new() { TruncateAt = position };

    /// <summary>Flips one bit.</summary>
    public static UpstreamBehaviour FlipsBitAt(long position) => new() { FlipBitAt = position };
}
