using System.Net;
using Breakwater.Proxy.Boots;
using Breakwater.Repositories;

namespace Breakwater.Proxy.Tests.Boots;

/// <summary>Which boots are shown, and in which order.</summary>
public sealed class BootQueryTests
{
    private static readonly DateTimeOffset s_began = DateTimeOffset.UnixEpoch.AddDays(20_000);

    /// <summary>Boots 1 and 4 are alike in all by which boots are ordered but their begin, their address and their number.</summary>
    private static readonly BootLine[] s_boots =
    [
        Line(4, "10.0.0.1", after: 2, lasts: 300, requests: 5, bytes: 50, BootState.Done),
        Line(1, "10.0.0.9", after: 3, lasts: 300, requests: 5, bytes: 50, BootState.Done),
        Line(2, "10.0.0.10", after: 4, lasts: 100, requests: 9, bytes: 10, BootState.Booting),
        Line(3, "::ffff:10.0.0.2", after: 1, lasts: 200, requests: 7, bytes: 90, BootState.Stopped),
    ];

    [Theory]
    [InlineData(BootOrder.Attention, "3 2 1 4")]
    [InlineData(BootOrder.Slowest, "1 4 3 2")]
    [InlineData(BootOrder.Fastest, "2 3 1 4")]
    [InlineData(BootOrder.Oldest, "3 4 1 2")]
    [InlineData(BootOrder.Newest, "2 1 4 3")]
    [InlineData(BootOrder.Client, "4 3 1 2")]
    [InlineData(BootOrder.Requests, "2 3 1 4")]
    [InlineData(BootOrder.Bytes, "3 1 4 2")]
    public void Choose_InEachOrder_HasTheFirstFirstAndTiesByNumber(object order, string ids) =>
        Assert.Equal(ids, Ids(new BootQuery { Order = (BootOrder)order }));

    [Theory]
    [InlineData(null, null, "1 2 3 4")]
    [InlineData("", "", "1 2 3 4")]
    [InlineData("10.0.0.1", null, "2 4")]               // a part of the text
    [InlineData("10.0.0.0/30", null, "3 4")]            // a network, of an address in IPv6's form, too
    [InlineData("10.0.0.10/32", null, "2")]
    [InlineData("10.0.0.0/33", null, "")]               // no network
    [InlineData(null, "EXAMPLE.org", "1 2 3 4")]
    [InlineData(null, "other", "")]
    [InlineData("10.0.0.1", "other", "")]
    public void Choose_Filtered_LetsThroughWhatMatches(string? client, string? repository, string ids) =>
        Assert.Equal(ids, Ids(new BootQuery { Client = client, Repository = repository }, byNumber: true));

    [Theory]
    [InlineData(BootState.Done, "1 4")]
    [InlineData(BootState.Booting, "2")]
    [InlineData(BootState.Stopped, "3")]
    public void Choose_OfAState_LetsNoOtherThrough(object state, string ids) =>
        Assert.Equal(ids, Ids(new BootQuery { State = (BootState)state }, byNumber: true));

    [Fact]
    public void Query_OfWhoSaysNothing_IsForTheFirstHundredOfTheNewestStorm()
    {
        var query = new BootQuery();

        Assert.Equal((null, 0, 100, BootOrder.Attention), (query.Storm, query.Offset, query.Limit, query.Order));
    }

    private static string Ids(BootQuery query, bool byNumber = false)
    {
        IEnumerable<int> ids = query.Choose(s_boots).Select(boot => boot.Id);
        return string.Join(' ', byNumber ? ids.Order() : ids);
    }

    private static BootLine Line(int id, string client, double after, double lasts, int requests, long bytes, BootState state) => new(
        id, 1, IPAddress.Parse(client), client.Replace("::ffff:", "", StringComparison.Ordinal), Fqrn.Parse("a.example.org"),
        s_began.AddSeconds(after), lasts, requests, requests, 0, bytes, state);
}
