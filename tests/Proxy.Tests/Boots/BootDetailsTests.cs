using System.Net;
using Breakwater.CacheStore;
using Breakwater.Proxy.Boots;
using Breakwater.Proxy.Outcomes;

namespace Breakwater.Proxy.Tests.Boots;

/// <summary>What is told of one boot, and the moments at which it is told.</summary>
public sealed class BootDetailsTests
{
    /// <summary>Milliseconds: a fake clock counts its ticks from the year 1, which are more than a double has digits.</summary>
    private const double Exact = 0.01;

    private readonly BootFeed _feed = new();

    [Fact]
    public void Boot_OfAnswersFromEverywhere_IsAddedUpBySource()
    {
        _feed.Boot(1, 10);      // the manifest and ten objects from memory, 1 ms and 100 bytes each
        _feed.Pump(
            _feed.Record(1, 20, "C0", 11, 5, result: RequestResult.Miss) with { BytesSent = 1 },
            _feed.Record(1, 21, "C0", 16, 4, result: RequestResult.Joined) with { BytesSent = 20 },
            _feed.Record(1, 22, "C0", 20, 3) with { Source = ByteSource.Disk, BytesSent = 300 },
            _feed.Record(1, 23, "C0", 23, 2, result: RequestResult.Refused) with { BytesSent = 4000 },
            _feed.Record(1, 24, "C0", 5, 1));       // told late: its end is not the last

        BootView boot = Find().Boot;

        Assert.Equal((1, "10.0.0.1", "a.example.org", 1), (boot.Id, boot.Client, boot.Repository, boot.StormId));
        Assert.Equal((16, 15, 1), (boot.Requests, boot.Objects, boot.Refused));
        Assert.Equal(25, boot.DurationMs, Exact);
        Assert.Equal((1200, 300, 20, 1), (boot.Memory, boot.Disk, boot.Joined, boot.Upstream));
        Assert.Equal(1200 + 300 + 20 + 1 + 4000, boot.Bytes);
        Assert.Equal("x80u200j160d120m440", boot.Bar);
        Assert.Equal(_feed.Time.GetUtcNow(), boot.StartedAt);
    }

    [Fact]
    public void Requests_OfABoot_HaveTheirTimesTheirObjectAndTheBestNameThereIs()
    {
        string longPath = $"/cvmfs/{new string('x', 2000)}/.cvmfspublished";
        _feed.Boot(1, 10);
        _feed.Pump(
            _feed.Record(1, 20, "C0", 11.5, 2.5, result: RequestResult.Miss) with { PathHint = "/bin/sh" },
            _feed.Record(1, null, "C0", 20, 1) with { Target = "/cvmfs/a.example.org/.cvmfswhitelist" },
            _feed.Record(1, null, "C0", 30, 1) with { Target = longPath },
            _feed.Record(1, null, "elsewhere", 40, 1) with { Target = "/cvmfs/a.example.org/.cvmfswhitelist" });     // nobody's

        (BootView boot, IReadOnlyList<BootRequest> requests) = Find();

        Assert.Equal((14, 11, 14), (boot.Requests, boot.Objects, requests.Count));
        Assert.Equal(
            new BootRequest(0, 1, ByteSource.Memory, RequestResult.Hit, 100, default, false, "/cvmfs/a.example.org/.cvmfspublished"),
            Rounded(requests[0]));
        Assert.Equal(new BootRequest(1, 1, ByteSource.Memory, RequestResult.Hit, 100, BootFeed.Key(0), true, null), Rounded(requests[1]));
        Assert.Equal(new BootRequest(11.5, 2.5f, ByteSource.Upstream, RequestResult.Miss, 100, BootFeed.Key(20), true, "/bin/sh"),
            Rounded(requests[11]));
        Assert.Equal("/cvmfs/a.example.org/.cvmfswhitelist", requests[12].Target);
        Assert.Equal(longPath[..RequestRecord.MaxTextChars], requests[13].Target);
    }

    [Theory]
    [InlineData(9, 0)]
    [InlineData(10, 1)]
    public void Boot_OfFewObjects_IsShownFromTheTenthOn(int objects, int shown)
    {
        _feed.Boot(1, objects);

        Assert.Equal(shown, _feed.Now.Boots.Count());
    }

    [Fact]
    public void Requests_MoreThanAreKeptOfABoot_AreCountedOnly()
    {
        _feed.Boot(1, 1600);

        (BootView boot, IReadOnlyList<BootRequest> requests) = Find();
        Assert.Equal((1601, 1600, 1500), (boot.Requests, boot.Objects, requests.Count));
        Assert.Equal((1, 1500), (_feed.Boots.Held.Boots, _feed.Boots.Held.Details));
    }

    [Theory]
    [InlineData(RequestResult.Hit, 200, BootState.Done)]
    [InlineData(RequestResult.Failed, 499, BootState.Done)]
    [InlineData(RequestResult.Failed, 500, BootState.Stopped)]          // the client goes to its next proxy
    [InlineData(RequestResult.ClientGone, 200, BootState.Stopped)]
    public void Boot_ThatAsksForNothing_IsJudgedAfterEightSeconds(object lastResult, int lastStatus, object state)
    {
        _feed.Boot(1, 10, milliseconds: 0);
        _feed.Pump(_feed.Record(1, 20, "C0", 0, 0) with { Result = (RequestResult)lastResult, Status = (short)lastStatus });

        _feed.Pass(7);
        Assert.Equal(BootState.Booting, Find().Boot.State);
        _feed.Pass(1);
        Assert.Equal((BootState)state, Find().Boot.State);
    }

    [Fact]
    public void Boot_ThatOthersGotFurtherThan_HasStoppedAfterTwentySecondsAndNotBefore()
    {
        for (int vm = 2; vm <= 4; vm++)
        {
            _feed.Boot(vm, 100, milliseconds: 0);
        }

        _feed.Pass(20);         // three whole boots are enough to compare with
        _feed.Boot(1, 40, milliseconds: 0);
        _feed.Pass(19);
        Assert.Equal(BootState.Booting, Find(4).Boot.State);

        _feed.Pass(1);

        Assert.Equal(BootState.Stopped, Find(4).Boot.State);
        Assert.Equal([BootState.Done, BootState.Done, BootState.Done], Enumerable.Range(1, 3).Select(id => Find(id).Boot.State));
    }

    [Fact]
    public void Boot_ThatIsWholeAsOthersWere_TakesNoMoreRequests()
    {
        for (int vm = 1; vm <= 3; vm++)
        {
            _feed.Boot(vm, 20, milliseconds: 0);
        }

        _feed.Pass(20);
        _feed.Boot(4, 20, milliseconds: 0);
        _feed.Pass(20);
        BootView whole = Find(4).Boot;

        _feed.Pump(_feed.Record(4, 30, "C3", 0, 1), _feed.Record(1, 30, "C0", 0, 1));

        Assert.Same(whole, Find(4).Boot);
        Assert.Equal((21, BootState.Done), (whole.Requests, whole.State));
        Assert.Equal((22, BootState.Booting), (Find(1).Boot.Requests, Find(1).Boot.State));     // there was none to compare it with
    }

    [Theory]
    [InlineData(299, 12)]
    [InlineData(300, 11)]
    public void Boot_OlderThanItsWindow_TakesNoMoreRequests(int seconds, int requests)
    {
        _feed.Boot(1, 10, milliseconds: 0);
        _feed.Pass(seconds);

        _feed.Pump(_feed.Record(1, 30, "C0", 0, 1));

        Assert.Equal(requests, Find().Boot.Requests);
    }

    [Theory]
    [InlineData(30_000, 1)]
    [InlineData(30_001, 2)]
    public void Boots_APauseApart_AreOneStormUpToThirtySeconds(int milliseconds, int storms)
    {
        _feed.Boot(1, 10, milliseconds: 0);
        _feed.Time.Advance(TimeSpan.FromMilliseconds(milliseconds));
        _feed.Boot(2, 10, milliseconds: 0);

        Assert.Equal(storms, _feed.Now.Storms.Count);
        Assert.Equal([.. Enumerable.Range(1, storms).Reverse()], _feed.Now.Storms.Select(storm => storm.Id!.Value));
        Assert.Equal([1, storms], _feed.Boots.Views([1, 2, 3]).Select(boot => boot.StormId));
    }

    /// <summary>What a boot asks for after it is shown counts for its storm as well.</summary>
    [Fact]
    public void Storm_WithABootThatGoesOn_IsOpenThirtySecondsLonger()
    {
        _feed.Boot(1, 10, milliseconds: 0);
        _feed.Time.Advance(TimeSpan.FromSeconds(20));
        _feed.Pump(_feed.Record(1, 20, "C0", 0, 0));
        _feed.Time.Advance(TimeSpan.FromSeconds(30));
        _feed.Boot(2, 10, milliseconds: 0);

        Assert.Equal([2], _feed.Now.Storms.Select(storm => storm.Boots));
    }

    [Theory]
    [InlineData("::ffff:10.0.0.9", "10.0.0.9")]
    [InlineData("2001:db8::9", "2001:db8::9")]
    public void Boot_OfAClientByTheOtherProtocol_IsNamedAsPeopleKnowIt(string address, string client)
    {
        _feed.Pump([.. Enumerable.Range(0, 11)
            .Select(i => _feed.Record(1, i == 0 ? null : i, "A", i, 1) with { Client = IPAddress.Parse(address) })]);

        Assert.Equal(client, Find().Boot.Client);
    }

    [Fact]
    public void Storm_WhoseBootsAreDone_RunsWhileAnotherBootMayFollow()
    {
        _feed.Boot(1, 10, milliseconds: 0);
        _feed.Pass(30);
        Assert.Equal((true, 0), (_feed.Now.Newest.IsRunning, _feed.Now.Newest.Booting));

        _feed.Pass(1);

        Assert.False(_feed.Now.Newest.IsRunning);
        Assert.Null(_feed.Boots.Find(2));
    }

    private static BootRequest Rounded(BootRequest request) =>
        request with { StartMs = Math.Round(request.StartMs, 1), DurationMs = MathF.Round(request.DurationMs, 1) };

    private (BootView Boot, IReadOnlyList<BootRequest> Requests) Find(int id = 1) => _feed.Boots.Find(id)!.Value;
}
