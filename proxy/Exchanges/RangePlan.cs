using System.Globalization;
using Breakwater.Proxy.Caching;
using Breakwater.Proxy.Requests;

namespace Breakwater.Proxy.Exchanges;

/// <summary>The part that is asked of an origin for a client's range: whole slices, so that they can be stored. Pure.</summary>
/// <param name="First">First byte.</param>
/// <param name="End">Offset behind the last byte; null: to the end.</param>
internal readonly record struct RangePlan(long First, long? End)
{
    /// <summary>
    /// The plan for a request whose body is not known yet; null: the whole is asked for, because the request wants that, or nearly, or
    /// because its range counts
    /// from an end that is not known.
    /// </summary>
    public static RangePlan? Of(HeaderFields request)
    {
        if (!ByteRange.TryParse(request.Only("Range"), out ByteRange range) || range.First < 0)
        {
            return null;
        }

        long first = BodySlice.StartOf(range.First);
        long? end = range.Last < 0 ? null : BodySlice.StartOf(range.Last) + BodySlice.SizeBytes;
        return first == 0 && end is null ? null : new RangePlan(first, end);
    }

    /// <summary>As a range of a request.</summary>
    public ByteRange Range => new(First, (End ?? 0) - 1);

    /// <summary>Does the request want the end of a body whose length is not known?</summary>
    public static bool IsSuffix(HeaderFields request) => ByteRange.TryParse(request.Only("Range"), out ByteRange range) && range.First < 0;

    /// <summary>The value of <c>Range</c>.</summary>
    public override string ToString() => End is { } end
        ? string.Create(CultureInfo.InvariantCulture, $"bytes={First}-{end - 1}")
        : string.Create(CultureInfo.InvariantCulture, $"bytes={First}-");
}
