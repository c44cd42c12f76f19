using Breakwater.Proxy.Requests;

namespace Breakwater.Proxy.Caching;

/// <summary>
/// What of a stored answer a request gets: all, a part, that nothing changed, or that there is no such part (RFC 9110, 13.2.2 and 14.2).
/// Pure.
/// </summary>
/// <param name="Status">The status for the client.</param>
/// <param name="Offset">First byte of the body that it gets.</param>
/// <param name="Count">Bytes that it gets; null: to the end, whose place is not known yet.</param>
internal readonly record struct AnswerShape(int Status, long Offset, long? Count)
{
    /// <summary>Has it a body?</summary>
    public bool HasBody => Count != 0;

    /// <summary>Finds it.</summary>
    public static AnswerShape Of(StoredHead head, HeaderFields request, DateTimeOffset now)
    {
        if (Conditions.IsNotModified(head, request, now))
        {
            return new AnswerShape(StatusCodes.Status304NotModified, 0, 0);
        }

        bool isPart = head.Status == StatusCodes.Status200OK && head.Length is not null
            && ByteRange.TryParse(request.Only("Range"), out ByteRange range)
            && Conditions.RangeApplies(head, request, now);
        if (!isPart)
        {
            return new AnswerShape(head.Status, 0, head.Length);
        }

        _ = ByteRange.TryParse(request.Only("Range"), out range);
        return range.TryResolve(head.Length!.Value, out long offset, out long count)
            ? new AnswerShape(StatusCodes.Status206PartialContent, offset, count)
            : new AnswerShape(StatusCodes.Status416RangeNotSatisfiable, 0, 0);
    }
}
