using System.Net.Sockets;
using Breakwater.Proxy.Outcomes;
using Breakwater.Proxy.Upstreams;
using Yarp.ReverseProxy.Configuration;
using Yarp.ReverseProxy.Model;

namespace Breakwater.Proxy.Tests.Upstreams;

/// <summary>Who is asked next, who once more, and what is said when nobody is left.</summary>
public sealed class CandidateCursorTests : IDisposable
{
    private readonly HttpMessageInvoker _client = new(new SocketsHttpHandler());
    private readonly Stratum1 _a, _b, _c;

    public CandidateCursorTests() => (_a, _b, _c) = (Make("a"), Make("b"), Make("c"));

    public void Dispose() => _client.Dispose();

    [Fact]
    public void Next_Each_IsAskedOnceInOrder()
    {
        CandidateCursor cursor = new([_a, _b]);

        Assert.Equal((2, true, true), (cursor.Count, cursor.HasNext, cursor.HasPrompt));
        Assert.Equal("a b - -", Take(cursor, 4));
        Assert.Equal((2, false, false), (cursor.Count, cursor.HasNext, cursor.HasPrompt));
    }

    [Fact]
    public void Requeue_OneThatBrokeOff_IsAskedOnceMoreBehindTheOthers()
    {
        CandidateCursor cursor = new([_a, _b]);
        cursor.Next();
        Assert.True(cursor.MayRequeue(_a));
        cursor.Requeue(_a);
        Assert.False(cursor.MayRequeue(_a));
        cursor.Requeue(_a);

        Assert.Equal("b a -", Take(cursor, 3));
        cursor.RequeueFirst(_a);
        Assert.Null(cursor.Next());
    }

    [Fact]
    public void RequeueFirst_OneThatAnswersForAWholeBody_IsNextOnce()
    {
        CandidateCursor cursor = new([_a, _b]);
        cursor.Next();
        cursor.RequeueFirst(_a);
        cursor.RequeueFirst(_a);

        Assert.Equal("a b -", Take(cursor, 3));
        Assert.False(cursor.MayRequeue(_a));
    }

    [Fact]
    public void PutOff_OneThatWasSilent_IsAskedWhenNobodyElseIsLeft()
    {
        CandidateCursor cursor = new([_a, _b]);
        cursor.PutOff(cursor.Next()!);
        cursor.PutBack(cursor.Next()!);

        Assert.Equal(_b, cursor.Next());
        Assert.Equal((true, false), (cursor.HasNext, cursor.HasPrompt));
        Assert.Equal(_a, cursor.Next());
        Assert.False(cursor.HasNext);
    }

    [Fact]
    public void PutLast_OneThatFailedOtherwise_ComesLastIfItWasNotAsked()
    {
        CandidateCursor cursor = new([_a, _b, _c]);
        cursor.PutLast(_a);
        Assert.Equal(_b, cursor.Next());
        cursor.PutLast(_b);

        Assert.Equal("c a -", Take(cursor, 3));
    }

    [Fact]
    public void Order_ByARank_KeepsTheOrderWithinIt()
    {
        CandidateCursor cursor = new([_a, _b, _c]);
        cursor.Order(one => one == _a ? 1 : 0);

        Assert.Equal("b c a -", Take(cursor, 4));
    }

    [Fact]
    public void ToFailure_WhenNothingCame_SaysWhatAllOfThemSaid()
    {
        Assert.Equal(FailureKind.NoUpstream, new CandidateCursor([]).ToFailure().Kind);
        var own = new UpstreamFailure(FailureKind.Offline, "x");
        Assert.Same(own, new CandidateCursor([], own).ToFailure());

        CandidateCursor cursor = new([_a, _b]) { NotFound = 1, LastFailure = new UpstreamFailure(FailureKind.NotFound, "a") };
        Assert.Equal(FailureKind.Broken, cursor.ToFailure().Kind);
        cursor.LastFailure = new UpstreamFailure(FailureKind.Status, "b answered 500");
        Assert.Same(cursor.LastFailure, cursor.ToFailure());
        cursor.NotFound = 2;
        Assert.Equal((FailureKind.NotFound, "none of 2 Stratum 1s has it"), (cursor.ToFailure().Kind, cursor.ToFailure().Detail));
    }

    [Fact]
    public void Troubled_ThoseThatFailed_AreEachThereOnce()
    {
        CandidateCursor cursor = new([_a, _b]);
        cursor.NoteTrouble(_b);
        cursor.NoteTrouble(_b);

        Assert.Same(_b, Assert.Single(cursor.Troubled));
    }

    [Fact]
    public void Outcomes_OfAStratum1_AreTheLatest()
    {
        Stratum1Outcomes outcomes = new();
        DestinationState one = _a.Destination;
        Assert.Equal((Stratum1State.NotAskedYet, false), (outcomes.StateOf(one), outcomes.IsUsed(one)));
        outcomes.NoteProbe(one, hasAnswered: false);
        Assert.Equal((Stratum1State.Failing, false), (outcomes.StateOf(one), outcomes.IsUsed(one)));
        outcomes.NoteProbe(one, hasAnswered: true);
        Assert.Equal((Stratum1State.Answers, false), (outcomes.StateOf(one), outcomes.IsUsed(one)));
        Assert.Equal([1, 2], new[] { outcomes.NoteFailure(one), outcomes.NoteFailure(one) });
        Assert.Equal((Stratum1State.Failing, true), (outcomes.StateOf(one), outcomes.IsUsed(one)));
        outcomes.NoteNotFound(one);
        Assert.Equal(Stratum1State.Answers, outcomes.StateOf(one));
        Assert.Equal(3, outcomes.NoteFailure(one)); // a 404 is no success
        outcomes.NoteGivenUp(one);
        Assert.Equal(1, outcomes.NoteFailure(one));
        outcomes.NoteAnswer(one);
        Assert.Equal((Stratum1State.Answers, 1), (outcomes.StateOf(one), outcomes.NoteFailure(one)));
        outcomes.NoteNotFound(_b.Destination);
        outcomes.NoteAnswer(_c.Destination);
        Assert.True(outcomes.IsUsed(_b.Destination));
        Assert.True(outcomes.IsUsed(_c.Destination));
        one.Health.Passive = DestinationHealth.Unhealthy;
        Assert.Equal(Stratum1State.AskedLast, outcomes.StateOf(one));
        (one.Health.Passive, one.Health.Active) = (DestinationHealth.Healthy, DestinationHealth.Unhealthy);
        Assert.Equal(Stratum1State.AskedLast, outcomes.StateOf(one));
    }

    [Theory]
    [InlineData("http://h/", "http://h/cvmfs/a.b//%41?", "h")]
    [InlineData("http://h:8000", "http://h:8000/cvmfs/a.b//%41?", "h:8000")]
    [InlineData("https://h/mirror/", "https://h/mirror/cvmfs/a.b//%41?", "h")]
    public void UrlOf_APath_IsBelowTheRootByteForByte(string address, string url, string authority)
    {
        Stratum1 one = Make("x", address);

        Assert.Equal((url, authority, false), (one.UrlOf("/cvmfs/a.b//%41?").ToString(), one.Authority, one.IsNode));
        Assert.True(Make("x", cluster: "nodes").IsNode);
    }

    [Theory]
    [InlineData("h:8000", true)]
    [InlineData("H:8000", true)]
    [InlineData("h", false)]
    [InlineData("h:80", false)]
    [InlineData(null, false)]
    public void IsOrigin_WhatTheClientNamed_IsThisServerByHostAndPort(string? hint, bool expected)
    {
        Assert.Equal(expected, Stratum1Directory.IsOrigin(Make("x", "http://h:8000/"), hint));
        Assert.Equal(hint is "h" or "h:80", Stratum1Directory.IsOrigin(Make("x", "http://h/"), hint));
    }

    [Theory]
    [InlineData("GET", false, true)]
    [InlineData("HEAD", false, true)]
    [InlineData("POST", false, false)]
    [InlineData("GET", true, false)]
    public void MayRepeat_ARequest_WhereTwiceIsAsGoodAsOnce(string method, bool hasBody, bool expected)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), "http://h/");
        request.Content = hasBody ? new StringContent("x") : null;

        Assert.Equal(expected, ReusedConnections.MayRepeat(request));
    }

    [Theory]
    [InlineData(HttpRequestError.ResponseEnded, null, true)]
    [InlineData(HttpRequestError.InvalidResponse, null, true)]
    [InlineData(HttpRequestError.ConnectionError, null, false)]
    [InlineData(HttpRequestError.Unknown, SocketError.ConnectionReset, true)]
    [InlineData(HttpRequestError.Unknown, SocketError.ConnectionAborted, true)]
    [InlineData(HttpRequestError.Unknown, SocketError.Shutdown, true)]
    [InlineData(HttpRequestError.Unknown, SocketError.TimedOut, false)]
    public void IsOfConnection_AFailure_MayBeThePastsOfAConnection(HttpRequestError error, SocketError? socket, bool expected) =>
        Assert.Equal(expected, ReusedConnections.IsOfConnection(new HttpRequestException(error, "x",
            socket is { } code ? new IOException("x", new SocketException((int)code)) : null)));

    [Fact]
    public void KindOf_AnException_IsThePhaseInWhichItFailed()
    {
        (Exception, FailureKind)[] cases =
        [
            (new ParentProxyException("x"), FailureKind.Parent),
            (new TaskCanceledException(), FailureKind.Timeout),
            (new HttpRequestException("x", new TimeoutException()), FailureKind.Timeout),
            (new HttpRequestException("x", new LookupFailedException("x") { IsTimeout = true }), FailureKind.Timeout),
            (new HttpRequestException("x", new LookupFailedException("x")), FailureKind.Lookup),
            (new HttpRequestException(HttpRequestError.NameResolutionError, "x"), FailureKind.Lookup),
            (new HttpRequestException(HttpRequestError.ConnectionError, "x"), FailureKind.Connect),
            (new HttpRequestException(HttpRequestError.SecureConnectionError, "x"), FailureKind.Connect),
            (new HttpRequestException(HttpRequestError.ResponseEnded, "x"), FailureKind.Broken),
            (new IOException("x"), FailureKind.Broken),
        ];

        Assert.All(cases, one => Assert.Equal(one.Item2, UpstreamClient.KindOf(one.Item1)));
    }

    [Fact]
    public void Plain_OfAnUrlWithHttps_KeepsPortAndPath()
    {
        Assert.Equal("http://h:443/a%2fb/../c?d", OriginTls.Plain(new Uri("https://h/a%2fb/../c?d",
            new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true })).ToString());
        Assert.Equal(8443, OriginTls.Plain(new Uri("https://h:8443/")).Port);
    }

    private static string Take(CandidateCursor cursor, int count) =>
        string.Join(' ', Enumerable.Range(0, count).Select(_ => cursor.Next()?.Destination.DestinationId ?? "-"));

    private Stratum1 Make(string id, string? address = null, string cluster = "c")
    {
        var model = new DestinationModel(new DestinationConfig { Address = address ?? $"http://{id}/" });
        return new Stratum1(new ClusterState(cluster), new DestinationState(id, model), _client);
    }
}
