using Breakwater.Proxy.Caching;

namespace Breakwater.Proxy.Exchanges;

/// <summary>
/// Which generation of a body an answer is about. Of an external file, which several Stratum 1s have, not only the strong validator counts
/// but all that they say of it: their tags may be counters of their own (docs/develop/adr/0130-generations-of-external-files.md). Pure.
/// </summary>
internal static class Generation
{
    /// <summary>The name by which parts of one generation come together; null: its parts are told from no other's.</summary>
    public static string? NameOf(Exchange exchange, HeaderFields answer, DateTimeOffset now) =>
        Validators.Strong(answer, now) is not { } validator ? null
            : exchange.External is null ? validator
            : $"{validator} {answer.Only("Last-Modified")}";

    /// <summary>Is a Stratum 1's answer to a question for a part, or for the whole, of the stored generation?</summary>
    public static bool IsSame(StoredHead known, FetchedAnswer answer)
    {
        long? total = answer.Status == StatusCodes.Status206PartialContent
            ? ContentRange.Parse(answer.Fields.Only("Content-Range"))?.Total
            : answer.Length;
        return total == known.Length && AgreeOn("ETag", known.Fields, answer.Fields)
            && AgreeOn("Last-Modified", known.Fields, answer.Fields);
    }

    /// <summary>Does a 304 of a Stratum 1 speak of the stored generation, as far as it says anything?</summary>
    public static bool MayBe(StoredHead known, HeaderFields notModified) =>
        !notModified.Has("Last-Modified") || AgreeOn("Last-Modified", known.Fields, notModified);

    private static bool AgreeOn(string name, HeaderFields one, HeaderFields other) =>
        string.Equals(one.Joined(name), other.Joined(name), StringComparison.Ordinal);
}
