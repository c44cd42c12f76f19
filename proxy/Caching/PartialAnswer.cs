using Breakwater.Proxy.Requests;

namespace Breakwater.Proxy.Caching;

/// <summary>
/// Is a 206 what its request asked for (RFC 9110, 15.3.7)? A client puts a wrong part into its file and never knows. The one rule for all
/// who take parts: what is passed on, kept in slices, or an external file's. Pure.
/// </summary>
internal static class PartialAnswer
{
    /// <summary>
    /// The part that a 206 carries, if it begins with the first byte that was asked for, ends no later than the last one, and is as long as
    /// its body. It may end earlier: see <see cref="IsAllOf"/>. Null: it is not what was asked for.
    /// </summary>
    /// <param name="asked">The range that was asked for.</param>
    /// <param name="contentRange"><c>Content-Range</c> of the answer, which must be the only one.</param>
    /// <param name="length">Bytes of its body; null: not known yet.</param>
    public static ContentRange? PartOf(ByteRange asked, string? contentRange, long? length)
    {
        if (ContentRange.Parse(contentRange) is not { } part || (length ?? part.Count) != part.Count)
        {
            return null;
        }

        bool isAsked = asked.First >= 0
            ? part.First == asked.First && (asked.Last < 0 || part.Last <= asked.Last)
            : part.Total is { } total && part.First == Math.Max(0, total - asked.Last);
        return isAsked ? part : null;
    }

    /// <summary>Is the part all of the range that there is? Only where the length of the whole is told.</summary>
    public static bool IsAllOf(ByteRange asked, ContentRange part) =>
        part.Total is { } total && asked.TryResolve(total, out long offset, out long count) && (part.First, part.Count) == (offset, count);

    /// <summary>What is wrong with an answer that is passed on; null: nothing, or it is no 206.</summary>
    /// <param name="request">Fields of the request.</param>
    /// <param name="status">Status of the answer.</param>
    /// <param name="answer">Fields of the answer.</param>
    /// <param name="length">Bytes of its body; null: not known yet.</param>
    public static string? FaultOf(HeaderFields request, int status, HeaderFields answer, long? length)
    {
        if (status != StatusCodes.Status206PartialContent)
        {
            return null;
        }

        if (!request.Has("Range"))
        {
            return "sent a part that nobody asked for";
        }

        string? contentRange = answer.Only("Content-Range");
        if (ByteRange.TryParse(request.Only("Range"), out ByteRange asked))
        {
            return PartOf(asked, contentRange, length) is not null ? null
                : "sent another part than was asked for, or of another length than its Content-Range says";
        }

        // Several parts, or another unit: the client's affair, but for one part that contradicts itself.
        return ContentRange.Parse(contentRange) is { } part && (length ?? part.Count) != part.Count
            ? "sent a part of another length than its Content-Range says"
            : null;
    }
}
