using Breakwater.Proxy.Requests;

namespace Breakwater.Proxy.Caching;

/// <summary>
/// Is a 206 what its request asked for (RFC 9110, 15.3.7)? A client puts a wrong part into its file and never knows. Pure.
/// </summary>
internal static class PartialAnswer
{
    /// <summary>What is wrong with it; null: nothing, or it is no 206 of one part.</summary>
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

        if (request.Only("Range") is not { } range)
        {
            return "sent a part that nobody asked for";
        }

        if (!ByteRange.TryParse(range, out ByteRange asked))
        {
            return null; // several parts, or another unit: the client's affair
        }

        if (ContentRange.Parse(answer.Only("Content-Range")) is not { } part)
        {
            return "sent a part without a Content-Range that can be";
        }

        if (length is { } known && known != part.Count)
        {
            return "sent a part of another length than its Content-Range says";
        }

        // A server may send less of the range than was asked for, but nothing else.
        bool isWithin = asked.First >= 0
            ? part.First >= asked.First && (asked.Last < 0 || part.Last <= asked.Last)
            : part.Total is not { } total || part.First >= total - asked.Last;
        return isWithin ? null : "sent another part than was asked for";
    }
}
