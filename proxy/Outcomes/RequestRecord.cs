using System.Net;
using Breakwater.CacheStore;
using Breakwater.Repositories;

namespace Breakwater.Proxy.Outcomes;

/// <summary>
/// All that is kept of a request that ended. A value: filling one allocates nothing as long as its strings exist anyway. Objects need no
/// <see cref="Target"/>: their URL follows from <see cref="Authority"/>, <see cref="Fqrn"/> and <see cref="Key"/>.
/// </summary>
internal readonly struct RequestRecord
{
    /// <summary><see cref="TimeProvider.GetTimestamp"/> when the head had been read.</summary>
    public required long StartedAt { get; init; }

    /// <summary>The same when the answer's head was handed to the connection; 0 when there was no answer.</summary>
    public long AnsweredAt { get; init; }

    /// <summary>The same at the end.</summary>
    public required long EndedAt { get; init; }

    /// <summary>How it ended.</summary>
    public required RequestResult Result { get; init; }

    /// <summary>Where the bytes came from.</summary>
    public ByteSource Source { get; init; }

    /// <summary>Method.</summary>
    public RequestMethod Method { get; init; }

    /// <summary>HTTP status; 0 when the client left before there was one.</summary>
    public required short Status { get; init; }

    /// <summary>Body bytes handed to the connection.</summary>
    public long BytesSent { get; init; }

    /// <summary>The object; default when it was none.</summary>
    public ObjectKey Key { get; init; }

    /// <summary>Does <see cref="Key"/> name an object?</summary>
    public bool HasKey { get; init; }

    /// <summary>Repository; null when the request named none.</summary>
    public Fqrn? Fqrn { get; init; }

    /// <summary>Client's address.</summary>
    public IPAddress? Client { get; init; }

    /// <summary>Identity of the client's connection; null when the client is no VM, so that the request is part of no boot.</summary>
    public string? Connection { get; init; }

    /// <summary>Host with port that an absolute-form request named; null in origin form.</summary>
    public string? Authority { get; init; }

    /// <summary>The request target as it came; may be null for objects.</summary>
    public string? Target { get; init; }

    /// <summary>Host and port of the Stratum 1 that was asked.</summary>
    public string? Upstream { get; init; }

    /// <summary>The client's <c>User-Agent</c>; what is beyond <see cref="MaxTextChars"/> is cut off.</summary>
    public string? UserAgent
    {
        get;
        init => field = Cut(value);
    }

    /// <summary>The client's <c>cvmfs-info</c>: the file's path, percent-escaped, cut likewise; null when not sent.</summary>
    public string? PathHint
    {
        get;
        init => field = Cut(value);
    }

    /// <summary>A client chooses these texts, and they are kept: no longer than a path is in practice.</summary>
    public const int MaxTextChars = 1024;

    /// <summary>What the texts take that this record alone keeps in memory.</summary>
    public int TextBytes => HeapCost.Of(Authority) + HeapCost.Of(Target) + HeapCost.Of(UserAgent) + HeapCost.Of(PathHint);

    private static string? Cut(string? text) => text?.Length > MaxTextChars ? text[..MaxTextChars] : text;

    /// <summary>The method of that name; names are case-sensitive (RFC 9110, 9.1).</summary>
    public static RequestMethod MethodOf(string name)
    {
        int at = Array.IndexOf(s_methods, name);
        return at < 0 ? RequestMethod.Other : (RequestMethod)at;
    }

    /// <summary>The name of a method in the access log.</summary>
    public static string NameOf(RequestMethod method) => s_methods[(int)method];

    private static readonly string[] s_methods =
        [.. Enum.GetValues<RequestMethod>().Select(method => method.ToString().ToUpperInvariant())];

    /// <summary>The tier that a result implies.</summary>
    public static ByteSource SourceOf(RequestResult result, bool touchedDisk) => result switch
    {
        RequestResult.Hit or RequestResult.Held or RequestResult.Stale => touchedDisk ? ByteSource.Disk : ByteSource.Memory,
        RequestResult.Joined => ByteSource.Joined,
        RequestResult.Miss or RequestResult.Revalidated or RequestResult.PassedThrough => ByteSource.Upstream,
        _ => ByteSource.None,
    };
}
