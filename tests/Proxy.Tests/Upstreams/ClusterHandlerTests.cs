using System.Net;
using Breakwater.Proxy.Settings;
using Breakwater.Proxy.Upstreams;
using Breakwater.TestSupport;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Time.Testing;

namespace Breakwater.Proxy.Tests.Upstreams;

/// <summary>Requests to Stratum 1s on their way through parent proxies; the test is whoever they come to.</summary>
public sealed class ClusterHandlerTests : IDisposable
{
    private readonly FakeTimeProvider _time = new();
    private readonly Asked _objects = new();
    private readonly Asked _apart = new();
    private readonly HttpRequestMessage _request = new(HttpMethod.Get, "http://s1.example.org/x");
    private readonly CancellationTokenSource _left = new();
    private ParentProxies _parents = null!;

    public void Dispose()
    {
        _objects.Dispose();
        _apart.Dispose();
        _request.Dispose();
        _left.Dispose();
    }

    [Theory]
    [InlineData(null, false)]
    [InlineData(false, false)]
    [InlineData(true, true)]
    public async Task Send_WhatOneClientReads_GoesByConnectionsOfItsOwn(bool? isApart, bool goesApart)
    {
        using HttpMessageInvoker client = Client(parents: 0);
        if (isApart is { } set)
        {
            _request.Options.Set(ClusterHandler.IsApart, set);
        }

        await SendAsync(client);

        Assert.Equal((goesApart ? 0 : 1, goesApart ? 1 : 0), (_objects.Times, _apart.Times));
        Assert.Equal("1.1 breakwater", _request.Headers.Via.ToString());
    }

    [Fact]
    public void Dispose_EndsBothKindsOfConnections()
    {
        Client(parents: 0).Dispose();

        Assert.Equal((true, true), (_objects.IsDisposed, _apart.IsDisposed));
    }

    [Fact]
    public async Task Send_WhenAParentFails_GoesByTheNext()
    {
        using HttpMessageInvoker client = Client(parents: 2);
        _objects.Answer = (times, _) => times == 1 ? Fails() : Task.FromResult(Signed(HttpStatusCode.OK));

        Assert.Equal(HttpStatusCode.OK, await SendAsync(client));

        _time.Advance(TimeSpan.FromSeconds(2));
        ParentState[] inOrder = [.. _parents.InOrder("c")];
        Assert.Equal(["http://p1:1/", "http://p0:1/"], inOrder.Select(state => state.Proxy.ToString()));
        Assert.Equal((null, true, false), (inOrder[0].Failure, inOrder[0].Signs, inOrder[0].IsDoubtful)); // it has answered
        Assert.NotNull(inOrder[1].Failure);
        Assert.False(inOrder[1].Signs);
    }

    /// <summary>An error that the parent passed on says nothing of whether it signs.</summary>
    [Fact]
    public async Task Send_OfWhatAStratum1Refuses_IsItsAnswer()
    {
        using HttpMessageInvoker client = Client(parents: 1);
        _objects.Answer = (_, _) => Task.FromResult(Signed(HttpStatusCode.NotFound));

        Assert.Equal(HttpStatusCode.NotFound, await SendAsync(client));
        Assert.Equal((null, false), (_parents.InOrder("c")[0].Failure, _parents.InOrder("c")[0].Signs));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Send_WhenAllParentsFail_SaysWhatEachOfThemDid(int parents)
    {
        using HttpMessageInvoker client = Client(parents);
        _objects.Answer = (_, _) => Fails();

        ParentProxyException failed = await Assert.ThrowsAsync<ParentProxyException>(() => SendAsync(client));

        Assert.Equal(string.Join("; ", _parents.InOrder("c").Select(state => state.Failure)), failed.Message);
        Assert.Equal(parents, _objects.Times);
    }

    [Fact]
    public async Task Send_OfWhatCannotBeSentTwice_IsSentOnce()
    {
        using HttpMessageInvoker client = Client(parents: 2);
        _request.Method = HttpMethod.Post;
        _objects.Answer = (_, _) => Fails();

        await Assert.ThrowsAsync<ParentProxyException>(() => SendAsync(client));
        Assert.Equal(1, _objects.Times);
    }

    /// <summary>A parent that is silent is passed by; the only one is the only way, and is not doubted for that.</summary>
    [Theory]
    [InlineData(1, null)]
    [InlineData(2, "the parent proxy http://p0:1/ did not answer")]
    public async Task Send_ThatNobodyWaitsForAnyMore_IsHeldAgainstAParentThatHasOthers(int parents, string? failure)
    {
        using HttpMessageInvoker client = Client(parents);
        ParentState first = _parents.InOrder("c")[0];
        _objects.Answer = async (_, token) =>
        {
            _time.Advance(TimeSpan.FromSeconds(2));
            await _left.CancelAsync();
            token.ThrowIfCancellationRequested();
            return Signed(HttpStatusCode.OK);
        };

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => SendAsync(client));
        Assert.Equal(failure, first.Failure);
    }

    private static Task<HttpResponseMessage> Fails() => throw new HttpRequestException(HttpRequestError.ConnectionError, "refused");

    private static HttpResponseMessage Signed(HttpStatusCode status)
    {
        var response = new HttpResponseMessage(status);
        response.Headers.TryAddWithoutValidation("Via", "1.1 parent");
        return response;
    }

    private HttpMessageInvoker Client(int parents)
    {
        const string Setting = "ReverseProxy:Clusters:c:HttpClient:WebProxy:";
        IConfigurationRoot settings = new ConfigurationBuilder().AddInMemoryCollection(Enumerable.Range(0, parents).Select(i =>
            new KeyValuePair<string, string?>(Setting + (i == 0 ? "Address" : $"Others:{i - 1}"), $"http://p{i}:1"))).Build();
        _parents = new ParentProxies(settings, _time);
        WebProxy? way = parents == 0 ? null : new WebProxy(new Uri("http://p0:1"));
        return new HttpMessageInvoker(
            new ClusterHandler("c", _objects, _apart, way, _parents, new LoopGuard(new ProxyOptions())));
    }

    private async Task<HttpStatusCode> SendAsync(HttpMessageInvoker client)
    {
        ForwardedChain.Current = null;
        using HttpResponseMessage response = await client.SendAsync(_request, _left.Token).InTimeAsync();
        return response.StatusCode;
    }

    /// <summary>Whoever is asked.</summary>
    private sealed class Asked : HttpMessageHandler
    {
        public int Times { get; private set; }

        public bool IsDisposed { get; private set; }

        public Func<int, CancellationToken, Task<HttpResponseMessage>> Answer { get; set; } =
            (_, _) => Task.FromResult(new HttpResponseMessage());

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            Answer(++Times, cancellationToken);

        protected override void Dispose(bool disposing)
        {
            IsDisposed = true;
            base.Dispose(disposing);
        }
    }
}
