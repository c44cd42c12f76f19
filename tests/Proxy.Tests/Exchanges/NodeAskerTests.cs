using System.Net;
using Breakwater.Proxy.Caching;
using Breakwater.Proxy.Exchanges;
using Breakwater.Proxy.Fetching;
using Breakwater.Proxy.Tests.Caching;
using Breakwater.Proxy.Tests.Fetching;
using Breakwater.Proxy.Upstreams;
using Breakwater.TestSupport;
using Microsoft.Extensions.Time.Testing;

namespace Breakwater.Proxy.Tests.Exchanges;

/// <summary>The node that owns a URL, asked before its origin; the test is that node.</summary>
public sealed class NodeAskerTests : IAsyncLifetime
{
    private static readonly IPAddress s_client = IPAddress.Parse("10.0.0.1");
    private static readonly (string Target, string Host) s_asked = ("http://o.example.org/x", "o.example.org");
    private readonly OneNode _site = new();
    private readonly Exchange _exchange;
    private readonly NodeAsker _nodes;

    public NodeAskerTests()
    {
        Exchange plain = Answers.Exchange();
        _exchange = plain with { Client = s_client, Target = plain.Target with { Asked = s_asked } };
        _nodes = new NodeAsker(_site, new FakeTimeProvider(Headers.Now));
    }

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _site.DisposeAsync();

    /// <summary>It is told for whom it is, so that it gives each client its turn; its answer is what the origin said.</summary>
    [Fact]
    public async Task Ask_TheOwner_SaysForWhomAndGivesTheOriginsAnswer()
    {
        Assert.True(_nodes.IsFor(_exchange));
        byte[] head = NodeQuestion.WriteHead(404, "Gone fishing", Headers.Of("ETag: \"a\"", "Content-Length: 3"));
        _site.Server.Put(NodeQuestion.Path, [.. head, 1, 2, 3]);

        using FetchedAnswer? answer = await AskAsync();

        Assert.Equal((404, "Gone fishing", 3L, "\"a\"", Headers.Now),
            (answer!.Status, answer.Reason, answer.Length, answer.Fields.Only("ETag"), answer.ReceivedAt));
        byte[] body = new byte[9];
        Assert.Equal(3, await answer.ReadAsync(body, default).InTimeAsync());
        Assert.Equal([1, 2, 3], body[..3]);
        Assert.Equal(0, await answer.ReadAsync(body, default).InTimeAsync());
        UpstreamRequest asked = Assert.Single(_site.Server.Requests);
        Assert.Equal(NodeWay.ErrandOf(FetchPriority.Demand, s_client), asked.Header(ContentQuestion.ErrandField));
        Assert.Equal("this node", asked.Header(OneNode.SignedBy));
        Assert.True(NodeQuestion.TryRead(
            asked.Header(NodeQuestion.Field), out (string Target, string Host) what, out HeaderFields? fields));
        Assert.Equal((s_asked, "x"), (what, fields.Only("Accept")));
    }

    /// <summary>What it does not say is asked of the origin.</summary>
    [Theory]
    [InlineData("could not get it")]
    [InlineData("its settings differ")]
    [InlineData("nonsense")]
    [InlineData("less than a head")]
    [InlineData("gone")]
    public async Task Ask_AnOwnerThatHasNoAnswer_IsNone(string how)
    {
        _site.Server.Put(NodeQuestion.Path, how switch
        {
            "could not get it" => NodeQuestion.WriteHead(NodeWay.CouldNotGet, null, Headers.Of()),
            "nonsense" => [4, 0, 0, 0, 1, 2, 3, 4],
            _ => [9, 0, 0, 0, 1],
        });
        _site.Server.Script(NodeQuestion.Path, how switch
        {
            "its settings differ" => UpstreamBehaviour.NotFound,
            "gone" => UpstreamBehaviour.ResetWithoutAnswer,
            _ => UpstreamBehaviour.Default,
        });

        Assert.Null(await AskAsync());
        Assert.NotEmpty(_site.Server.Requests);
    }

    private Task<FetchedAnswer?> AskAsync() => _nodes.AskAsync(_exchange, Headers.Of("Accept: x"), default).InTimeAsync();
}
