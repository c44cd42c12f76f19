using System.Globalization;
using Breakwater.Proxy.Caching;

namespace Breakwater.Proxy.Tests.Caching;

/// <summary>Writes heads down shortly.</summary>
internal static class Headers
{
    /// <summary>When all of these tests happen.</summary>
    public static readonly DateTimeOffset Now = new(2026, 11, 28, 12, 0, 0, TimeSpan.Zero);

    /// <summary>Fields from lines <c>Name: value</c>; <c>{+60}</c> in a value is a date 60 seconds from <see cref="Now"/>.</summary>
    public static HeaderFields Of(params string[] lines)
    {
        var fields = new HeaderFields();
        foreach (string line in lines.Where(line => line.Length > 0))
        {
            int colon = line.IndexOf(':', StringComparison.Ordinal);
            fields.Add(line[..colon], Dated(line[(colon + 1)..].Trim()));
        }

        return fields;
    }

    /// <summary>Fields from lines parted by a bar.</summary>
    public static HeaderFields OfText(string text) => Of(text.Split(
        '|', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries));

    /// <summary>A stored answer that came just now, with a Date unless the lines have one.</summary>
    public static StoredHead Stored(string lines, int status = 200, string request = "", long length = 10)
    {
        HeaderFields fields = OfText(lines);
        if (!fields.Has("Date"))
        {
            fields.Add("Date", HttpDates.Format(Now));
        }

        return new StoredHead
        {
            Status = status,
            Fields = fields,
            VaryValues = VaryKey.Of(fields, OfText(request)),
            RequestedAt = Now,
            ReceivedAt = Now,
            Length = length,
            BodyId = [1, 2, 3],
        };
    }

    private static string Dated(string value)
    {
        int start = value.IndexOf('{', StringComparison.Ordinal);
        return start < 0
            ? value
            : HttpDates.Format(Now.AddSeconds(double.Parse(value[(start + 1)..value.IndexOf('}', StringComparison.Ordinal)],
                CultureInfo.InvariantCulture)));
    }
}
