using System.Net;
using System.Net.Http.Headers;
using Breakwater.CacheStore;
using Breakwater.Proxy.Caching;
using Breakwater.Proxy.Outcomes;
using Breakwater.Proxy.Requests;
using Breakwater.Proxy.Upstreams;

namespace Breakwater.Proxy.Exchanges;

/// <summary>
/// Asks Stratum 1s for a file that no hash names: with what of the request matters, and nothing that tells of the client. Ranges are
/// checked, since whoever asks takes a 206 for the bytes that he asked for.
/// </summary>
internal sealed class FileQuestion : UpstreamQuestion
{
    private static readonly string[] s_kept = ["User-Agent", "Accept", "If-None-Match", "If-Modified-Since"];

    /// <summary>What the client is told of the answer; all else is between the Stratum 1 and us.</summary>
    private static readonly string[] s_relayed =
        ["Content-Type", "Last-Modified", "ETag", "Cache-Control", "Expires", "Age", "Date", "Vary"];

    private readonly HeaderFields _fields;
    private readonly string? _hint;
    private readonly ByteRange? _range;

    /// <summary>The question.</summary>
    /// <param name="method">GET or HEAD.</param>
    /// <param name="path">Path from a Stratum 1's root, as the client wrote it.</param>
    /// <param name="fields">Fields of the request; those that matter are sent.</param>
    /// <param name="hint">Host that the client named, or null.</param>
    /// <param name="key">The object, where it is one: its bytes are checked, which those of a part cannot be.</param>
    public FileQuestion(string method, string path, HeaderFields fields, string? hint, ObjectKey? key = null)
        : base(method == "HEAD" ? HttpMethod.Head : HttpMethod.Get, path)
    {
        _fields = fields;
        _hint = hint;
        _range = key is null && Method == HttpMethod.Get && ByteRange.TryParse(fields.Only("Range"), out ByteRange range) ? range : null;
    }

    /// <inheritdoc/>
    public override bool IsPassedThrough => true;

    /// <summary><c>Content-Range</c> of a Stratum 1 whose file ends before the range; null when none said so.</summary>
    public string? Unsatisfied { get; private set; }

    /// <inheritdoc/>
    public override void Prepare(HttpRequestMessage request, Stratum1 upstream)
    {
        foreach (string name in s_kept)
        {
            if (Plain(name) is { } value)
            {
                request.Headers.Remove(name);
                request.Headers.TryAddWithoutValidation(name, value);
            }
        }

        if (_range is not null)
        {
            request.Headers.TryAddWithoutValidation("Range", _fields.Only("Range"));
            if (Plain("If-Range") is { } condition)
            {
                request.Headers.TryAddWithoutValidation("If-Range", condition);
            }
        }

        if (Reuse.WantsValidation(_fields))
        {
            // Caches on the way may have the same wrong copy.
            request.Headers.TryAddWithoutValidation("Cache-Control", "no-cache");
        }

        // A password is for the host that the client named, and for no other of the cluster.
        if (Stratum1Directory.IsOrigin(upstream, _hint) && Plain("Authorization") is { } authorization)
        {
            request.Headers.TryAddWithoutValidation("Authorization", authorization);
        }
    }

    /// <inheritdoc/>
    public override (FailureKind Kind, string What)? Judge(HttpResponseMessage message, out long start, out long? total)
    {
        start = 0;
        total = message.Content.Headers.ContentLength;
        switch (message.StatusCode)
        {
            case HttpStatusCode.NotFound:
                return (FailureKind.NotFound, "does not have it");
            case HttpStatusCode.NotModified when Conditions.AllowNotModified(_fields):
                return null;
            case HttpStatusCode.RequestedRangeNotSatisfiable:
                // Its file may be older and shorter than the next one's.
                Unsatisfied ??= message.Content.Headers.ContentRange is { Unit: "bytes", Length: { } length }
                    ? new ContentRangeHeaderValue(length).ToString()
                    : "bytes */*";
                return _range is null ? ToFault(message) : (FailureKind.NotFound, "has no such range of it");
            case not (HttpStatusCode.OK or HttpStatusCode.PartialContent):
                return ToFault(message);
        }

        if (IsCoded(message))
        {
            return (FailureKind.BadHead, "answered with a content coding that was not asked for");
        }

        if (Relayed(message).Any(field => !IsPlain(field.Value)))
        {
            return (FailureKind.BadHead, "answered with a field that is no text");
        }

        return message.StatusCode == HttpStatusCode.OK ? null
            : IsAskedFor(message, out start, out total) ? null
            : (FailureKind.BadHead, "answered with another range than asked for");
    }

    /// <summary>The fields of a good answer that the client gets, one for each line.</summary>
    public static IEnumerable<(string Name, string Value)> Relayed(HttpResponseMessage message)
    {
        foreach (string name in s_relayed)
        {
            if (message.Headers.NonValidated.TryGetValues(name, out HeaderStringValues values)
                || message.Content.Headers.NonValidated.TryGetValues(name, out values))
            {
                foreach (string value in values)
                {
                    yield return (name, value);
                }
            }
        }
    }

    /// <summary>The part must be all of the one that was asked for, as far as the answer tells: another Stratum 1 may have more.</summary>
    private bool IsAskedFor(HttpResponseMessage message, out long start, out long? total)
    {
        (start, total) = (0, null);
        HttpContentHeaders fields = message.Content.Headers;
        string? contentRange = fields.NonValidated.TryGetValues("Content-Range", out HeaderStringValues values) && values.Count == 1
            ? values.ToString() : null;
        if (_range is not { } asked || PartialAnswer.PartOf(asked, contentRange, fields.ContentLength) is not { } part)
        {
            return false;
        }

        (start, total) = (part.First, part.Total);
        return total is null || PartialAnswer.IsAllOf(asked, part);
    }

    /// <summary>Our HTTP client refuses what is not ASCII; that would be held against the Stratum 1.</summary>
    private string? Plain(string name) => _fields.Joined(name) is { } value && IsPlain(value) ? value : null;

    private static bool IsPlain(string value) => System.Text.Ascii.IsValid(value) && FieldGrammar.IsText(value);
}
