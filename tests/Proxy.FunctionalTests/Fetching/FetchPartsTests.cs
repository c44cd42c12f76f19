using Breakwater.CacheStore;
using Breakwater.CacheStore.Spooling;
using Breakwater.Proxy.Fetching;
using Breakwater.Proxy.FunctionalTests.TestSupport;
using Breakwater.Proxy.Observability;
using Breakwater.Proxy.Outcomes;
using Breakwater.Proxy.Upstreams;
using Breakwater.Repositories;
using Breakwater.TestSupport;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace Breakwater.Proxy.FunctionalTests.Fetching;

/// <summary>The parts of a fetch by themselves, in a real proxy: whom it may ask, whose bytes it has, which body follows which.</summary>
public sealed class FetchPartsTests : IAsyncLifetime
{
    private readonly ScriptedUpstream _first = ScriptedUpstream.Start();
    private readonly ScriptedUpstream _second = ScriptedUpstream.Start();
    private readonly FakeTimeProvider _time = new(DateTimeOffset.UtcNow);
    private readonly SyntheticObject _item = new(200_000);
    private ProxyUnderTest _proxy = null!;
    private NotFoundMemory _notFound = null!;
    private int _failed;

    private FetchServices Services => _proxy.Services.GetRequiredService<FetchServices>();

    private Stratum1Outcomes Outcomes => _proxy.Services.GetRequiredService<Stratum1Outcomes>();

    public async Task InitializeAsync()
    {
        _proxy = await ProxyUnderTest.StartAsync(new Dictionary<string, string?>(ProxyUnderTest.Patient)
        {
            ["ReverseProxy:Clusters:more:Destinations:a1:Address"] = "http://h1:8000/",
            ["ReverseProxy:Clusters:more:Destinations:a2:Address"] = "http://h1:8001/",
            ["ReverseProxy:Clusters:more:Destinations:b:Address"] = "http://h2/",
        }, _time, _first, _second);
        _notFound = new NotFoundMemory(_time);
    }

    public async Task DisposeAsync()
    {
        _notFound.Dispose();
        await _first.DisposeAsync();
        await _second.DisposeAsync();
        await _proxy.DisposeAsync();
    }

    [Fact]
    public void Join_ByManyWays_IsBoundedAndOneThatNobodyWaitsForIsGivenBack()
    {
        FetchOrder first = Order("x0");
        FetchWays ways = Ways(first);
        FetchWay own = ways.Join(first)!;
        List<FetchWay> others = [.. Enumerable.Range(1, FetchWays.MaxWays - 1).Select(i => ways.Join(Order($"x{i}"))!)];
        Assert.Equal(FetchWays.MaxWays, others.Append(own).Distinct().Count());
        Assert.Null(ways.Join(Order("more")));
        Assert.Same(others[0], ways.Join(Order("x1")));
        Assert.Equal((1, 2), (own.Followers, others[0].Followers));

        ways.Left(others[0]);
        Assert.Null(ways.Join(Order("more"))); // somebody waits for it still
        ways.Left(own);
        Assert.Null(ways.Join(Order("more"))); // the first one's is asked in any case
        ways.Left(others[0]);
        Assert.NotNull(ways.Join(Order("more")));
    }

    [Fact]
    public async Task OpenAsync_WhatNobodyHas_FailsEachWayByItsOwnAndIsRemembered()
    {
        FetchOrder first = Order("missing"), other = Order("broken");
        _first.Script(first.UrlPath, UpstreamBehaviour.NotFound);
        _second.Script(first.UrlPath, UpstreamBehaviour.NotFound);
        _first.Script(other.UrlPath, UpstreamBehaviour.WithStatus(500));
        _second.Script(other.UrlPath, UpstreamBehaviour.WithStatus(503));
        FetchWays ways = Ways(first);
        FetchWay[] joined = [ways.Join(first)!, ways.Join(other)!];
        Assert.False(ways.TryEnd());
        Assert.True(ways.HasPrompt);

        Assert.Null(await ways.OpenAsync(0, default).InTimeAsync());

        Assert.Equal([FailureKind.NotFound, FailureKind.Status], joined.Select(way => way.Failure!.Kind));
        Assert.Contains("503", joined[1].Failure!.Detail, StringComparison.Ordinal); // the last word counts
        Assert.NotNull(_notFound.Find(first));
        Assert.Null(_notFound.Find(other));
        Assert.Equal(2, _failed);
        Assert.True(ways.TryEnd());
        Assert.Null(ways.Join(Order("late")));
        Assert.Equal(FailureKind.Broken, ways.FailAll().Kind);
    }

    /// <summary>A 404 is less of a reason than any failure.</summary>
    [Theory]
    [InlineData(404, 500, "500")]
    [InlineData(500, 404, "500")]
    public async Task OpenAsync_OneLacksItAndOneFails_TheFailureIsTheReason(int first, int second, string said)
    {
        FetchOrder order = Order("half");
        _first.Script(order.UrlPath, UpstreamBehaviour.WithStatus(first));
        _second.Script(order.UrlPath, UpstreamBehaviour.WithStatus(second));
        FetchWays ways = Ways(order);
        FetchWay way = ways.Join(order)!;

        Assert.Null(await ways.OpenAsync(0, default).InTimeAsync());
        Assert.Equal(FailureKind.Status, way.Failure!.Kind);
        Assert.Contains(said, way.Failure.Detail, StringComparison.Ordinal);
        Assert.Null(_notFound.Find(order));
    }

    /// <summary>Where a new connection is reset, none that was used before is to blame: it is not asked again.</summary>
    [Fact]
    public async Task OpenAsync_ANewConnectionThatIsReset_IsNoReasonToAskAgain()
    {
        FetchOrder order = Order("gone");
        _first.Script(order.UrlPath, UpstreamBehaviour.NotFound);
        _second.Script(order.UrlPath, UpstreamBehaviour.ResetWithoutAnswer);
        FetchWays ways = Ways(order);
        ways.Join(order);

        Assert.Null(await ways.OpenAsync(0, default).InTimeAsync());
        Assert.Equal(1, _second.RequestCount(order.UrlPath));
    }

    [Fact]
    public async Task OpenAsync_AsksOneAfterTheOther_AndPreferredOnesFirst()
    {
        _item.On(_first, _second);
        FetchOrder order = OrderOf(_item);
        FetchWays ways = Ways(order);
        FetchWay way = ways.Join(order)!;
        FetchAnswer one = (await ways.OpenAsync(0, default).InTimeAsync())!;
        Assert.Same(way, one.Way);
        Assert.Equal(0, _second.RequestCount(_item.Path));
        one.Response.Dispose();
        ways.Prefer(way, one.Response.Upstream);

        FetchAnswer again = (await ways.OpenAsync(1, default).InTimeAsync())!;
        Assert.Equal(one.Response.Upstream, again.Response.Upstream);
        Assert.Equal(1, again.Response.Offset);
        again.Response.Dispose();
        FetchAnswer two = (await ways.OpenAsync(0, default).InTimeAsync())!;
        Assert.NotEqual(one.Response.Upstream, two.Response.Upstream);
        two.Response.Dispose();
        Assert.Null(await ways.OpenAsync(0, default).InTimeAsync());
    }

    /// <summary>Halves of two make a wrong body: who came to its end answers for a whole one before the other is asked again.</summary>
    [Fact]
    public async Task Fetch_WrongByTheFirstHalf_IsAskedWholeOfTheOneThatFinished()
    {
        _item.On(_first, _second);
        _first.Script(_item.Path, new UpstreamBehaviour { FlipBitAt = 10, TruncateAt = 100_000 });

        RawResponse answer = await _proxy.GetAsync(_item.Path);

        Assert.Equal(200, answer.Status);
        Assert.True(_item.Bytes.AsSpan().SequenceEqual(answer.Body));
        Assert.Equal((1, 2), (_first.RequestCount(_item.Path), _second.RequestCount(_item.Path)));
    }

    [Fact]
    public void IsAnotherClusterDue_AfterTheTimeOfAFirstByte_IsOneThatWasNotAsked()
    {
        FetchOrder order = Order("a"), same = Order("b");
        FetchOrder other = Order("c") with { Repository = new RepositoryRoute(Fqrn.Parse("b.example.org"), "other") };
        FetchWays ways = Ways(order);
        FetchWay way = ways.Join(order)!;
        ways.Begin();
        ways.Join(same);
        _time.Advance(TimeSpan.FromMinutes(1));
        Assert.False(ways.IsAnotherClusterDue(way));
        ways.Begin();
        FetchWay due = ways.Join(other)!;
        _time.Advance(TimeSpan.FromMinutes(1) - TimeSpan.FromTicks(1));
        Assert.False(ways.IsAnotherClusterDue(way));
        Assert.Equal(TimeSpan.FromMinutes(1) - TimeSpan.FromTicks(1), ways.Waited);
        _time.Advance(TimeSpan.FromTicks(1));
        Assert.True(ways.IsAnotherClusterDue(way));
        Assert.True(ways.IsAnotherClusterDue(due)); // nor was that one asked
        ways.Left(due);
        Assert.False(ways.IsAnotherClusterDue(way));
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(1, 1)]
    [InlineData(100_000, 100_000)]
    [InlineData(150_000, 150_000)]
    [InlineData(200_000, 160_000)] // no more of it went out
    public async Task Bodies_OneAfterTheOther_AgreeAsFarAsTheyAreTheSame(int same, int agreed)
    {
        FetchBodies bodies = Services.Bodies;
        BodySuccession succession = new(() => bodies.Begin(OrderOf(_item)));
        GrowingObject old = succession.Current;
        Assert.Equal(long.MaxValue, succession.AgreedBytes);
        await succession.AppendAsync(_item.Bytes, default);
        old.Release(160_000);

        await succession.ReplaceAsync();
        Assert.NotSame(old, succession.Current);
        Assert.Equal((GrowthState.Broken, 0L), (old.State, succession.AgreedBytes));
        byte[] other = [.. _item.Bytes];
        for (int i = same; i < other.Length; i++)
        {
            other[i] ^= 1;
        }

        for (int at = 0; at < other.Length; at += 70_000)
        {
            await succession.AppendAsync(other.AsMemory(at, Math.Min(70_000, other.Length - at)), default);
        }

        Assert.Equal(((long)agreed, (long)other.Length), (succession.AgreedBytes, succession.Current.Appended));
        await succession.ForgetPreviousAsync();
        await succession.ForgetPreviousAsync();
        Assert.Null(old.TryOpenReader()); // let go
        await succession.Current.ReleaseHoldAsync();
    }

    /// <summary>Who has read of the first may read on in the third only as far as all three are the same.</summary>
    [Theory]
    [InlineData(600, 900, 1000, 600)]
    [InlineData(600, 900, 300, 300)]
    [InlineData(900, 600, 1000, 600)]
    [InlineData(600, 0, 1000, 0)] // nobody saw the second, so nobody compared
    public async Task Bodies_ReplacedAgain_AgreeWithAllThatWentOut(int releasedFirst, int releasedSecond, int same, int agreed)
    {
        BodySuccession succession = new(() => Services.Bodies.Begin(OrderOf(_item)));
        foreach (int released in (int[])[releasedFirst, releasedSecond])
        {
            await succession.AppendAsync(_item.Bytes.AsMemory(0, 1000), default);
            succession.Current.Release(released);
            await succession.ReplaceAsync();
        }

        byte[] third = [.. _item.Bytes.Take(same), .. Enumerable.Repeat((byte)0, 1000 - same)];
        await succession.AppendAsync(third, default);
        Assert.Equal(agreed, succession.AgreedBytes);

        await succession.ForgetPreviousAsync();
        await succession.Current.ReleaseHoldAsync();
    }

    [Theory]
    [InlineData(400.0, false)]
    [InlineData(401.0, true)]
    public void Authors_OfARightBody_HaveSucceededButForOneThatAnotherOvertookByFar(double pace, bool isBlamed)
    {
        (FetchWay way, Stratum1 slow, Stratum1 quick) = Two();
        BodyAuthors authors = new(_item.Key, Services, NullLogger.Instance);
        authors.Add(way, slow);
        Assert.False(authors.AreSeveral);
        authors.NoteTardy(way, slow, 100);
        authors.Add(way, quick);
        authors.Add(way, quick);
        Assert.True(authors.AreSeveral);
        authors.NoteEnd(quick, pace);

        authors.NoteRight();

        Assert.Equal((isBlamed ? Stratum1State.Failing : Stratum1State.Answers, Stratum1State.Answers),
            (Outcomes.StateOf(slow.Destination), Outcomes.StateOf(quick.Destination)));
        Assert.Equal(isBlamed ? FailureKind.Timeout : (FailureKind?)null, way.Cursor!.LastFailure?.Kind);
    }

    [Fact]
    public void Authors_WhoContradictedTheLength_AreBlamedWhenTheBodyIsRightWithoutThem()
    {
        (FetchWay way, Stratum1 wrong, Stratum1 right) = Two();
        BodyAuthors authors = new(_item.Key, Services, NullLogger.Instance);
        authors.Add(way, wrong);
        authors.Add(way, right);
        authors.Contradicts(right);
        authors.Clear();
        authors.Add(way, right);
        authors.NoteRight();

        Assert.Equal((Stratum1State.Failing, Stratum1State.Answers),
            (Outcomes.StateOf(wrong.Destination), Outcomes.StateOf(right.Destination)));
        Assert.Equal(FailureKind.BadHead, way.Cursor!.LastFailure!.Kind);
    }

    [Fact]
    public void Authors_OfARightBodyWhoseAnswerDidNotEnd_AreNoSuccess()
    {
        (FetchWay way, Stratum1 one, Stratum1 other) = Two();
        BodyAuthors authors = new(_item.Key, Services, NullLogger.Instance);
        authors.Add(way, one);
        authors.Add(way, other);
        authors.NoteRightWithoutEnd(way, other);

        Assert.Equal((Stratum1State.Answers, Stratum1State.NotAskedYet),
            (Outcomes.StateOf(one.Destination), Outcomes.StateOf(other.Destination)));
    }

    [Theory]
    [InlineData(true, 1)]
    [InlineData(true, 2)]
    [InlineData(false, 1)]
    [InlineData(false, 2)]
    public void Authors_OfAWrongBody_AreBlamedIfItIsWholeAndAskedOnceMoreIfTheyAreSeveral(bool isWhole, int senders)
    {
        (FetchWay way, Stratum1 one, Stratum1 other) = Two();
        BodyAuthors authors = new(_item.Key, Services, NullLogger.Instance);
        way.Cursor!.Next();
        way.Cursor.Next();
        foreach (Stratum1 sender in ((Stratum1[])[one, other])[..senders])
        {
            authors.Add(way, sender);
        }

        using var wrong = new CounterSum(_proxy.Services.GetRequiredService<ProxyCounters>().WrongBodies);
        authors.NoteWrong(isWhole);

        Assert.Equal(isWhole ? Stratum1State.Failing : Stratum1State.NotAskedYet, Outcomes.StateOf(one.Destination));
        Assert.Equal(isWhole ? FailureKind.WrongBytes : (FailureKind?)null, way.Cursor.LastFailure?.Kind);
        Assert.Equal(senders == 2, way.Cursor.HasNext);
        Assert.Equal(isWhole ? senders : 0, wrong.Value);
    }

    [Theory]
    [InlineData("h1:8000", "a1 a2 b")]
    [InlineData("h1:8001", "a2 a1 b")]
    [InlineData("H1", "a1 a2 b")] // the host, at another port
    [InlineData("h2", "b a1 a2")]
    [InlineData("h2:80", "b a1 a2")]
    [InlineData("h3", "a1 a2 b")]
    [InlineData(null, "a1 a2 b")]
    public void Directory_WhatTheClientNamed_ComesFirst(string? hint, string order)
    {
        Stratum1Directory directory = _proxy.Services.GetRequiredService<Stratum1Directory>();

        Assert.Equal(order, string.Join(' ', directory.Order("more", hint).Select(one => one.Destination.DestinationId)));
        Assert.Empty(directory.Order("none", hint));
        if (hint is not null)
        {
            Assert.Equal(hint switch { "H1" => 1, "h3" => 2, _ => 0 }, directory.Distance("more", hint));
            Assert.Equal(2, directory.Distance("none", hint));
        }
    }

    private FetchWays Ways(FetchOrder first) => new(first, Services, _notFound, () => _failed++);

    private FetchOrder Order(string path) =>
        new(_item.Key, new RepositoryRoute(Fqrn.Parse("a.example.org"), "test"), path, null, FetchPriority.Demand);

    private static FetchOrder OrderOf(SyntheticObject item) => new(item.Key,
        new RepositoryRoute(Fqrn.Parse("synthetic.example.org"), "test"), item.Key.ToPath(), null, FetchPriority.Demand);

    private (FetchWay Way, Stratum1 One, Stratum1 Other) Two()
    {
        FetchOrder order = OrderOf(_item);
        CandidateCursor cursor = Services.Client.Candidates(order.Repository, null);
        CandidateCursor named = Services.Client.Candidates(order.Repository, null);
        return (new FetchWay(order) { Cursor = cursor }, named.Next()!, named.Next()!);
    }
}
