using Breakwater.Proxy.Cluster;
using Breakwater.Proxy.Documents;
using Breakwater.Proxy.Tests.Documents;
using Breakwater.Proxy.Tests.TestSupport;
using Breakwater.Proxy.WorkingSets;
using Breakwater.TestSupport;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging.Abstractions;

namespace Breakwater.Proxy.Tests.Cluster;

/// <summary>The questions of other nodes that this one answers by itself.</summary>
public sealed class NodeEndpointTests : IAsyncLifetime
{
    private readonly BuiltDocuments _documents = new();
    private readonly TestSite _site = new();
    private readonly CountedRounds _rounds;
    private NodeState _state = null!;
    private NodeEndpoint _endpoint = null!;

    public NodeEndpointTests() => _rounds = new CountedRounds(_site);

    public async Task InitializeAsync()
    {
        await _documents.OpenAsync();
        var sets = new WorkingSetStore(new HeldDocuments(), _site.Time, NullLogger<WorkingSetStore>.Instance);
        var boots = new SiteBoots(_site.Nodes);
        _state = new NodeState(_documents.Get<SignedDocuments>(), boots, sets, _site.Time);
        _endpoint = new NodeEndpoint(
            _site.Self, _rounds.Rounds, _state, new NodeRefusals(_site.Counters, _site.Time, NullLogger<NodeRefusals>.Instance),
            _site.Counters, content: null!, new NodeLearning(boots, sets, _site.Nodes), admin: null!); // nobody asks for their part
    }

    public async Task DisposeAsync()
    {
        await _documents.DisposeAsync();
        _site.Dispose();
    }

    [Fact]
    public async Task Handle_AQuestionOfANode_IsAnsweredInJsonAndSaysWhoAnswers()
    {
        foreach (string target in (string[])["/node/state", "/node/boots/a.example.org", "/node/working-sets/a.example.org"])
        {
            HttpResponse response = await AskAsync("GET", target, $"id=b;site={_site.Self.Announcement.Site}");

            Assert.Equal((200, "application/json", response.Body.Length),
                (response.StatusCode, response.ContentType, response.ContentLength));
            Assert.NotEqual(0, response.Body.Length);
            Assert.Equal((_site.Self.Announcement with { State = _state.Hash }).ToString(),
                (string?)response.Headers[NodeAnnouncement.Field]);
            if (target == "/node/state")
            {
                Assert.Equal(_state.Json.ToArray(), ((MemoryStream)response.Body).ToArray());
            }
        }
    }

    [Fact]
    public async Task Handle_AProbe_SaysWhetherThisNodeIsAMember()
    {
        Assert.Equal(204, (await AskAsync("GET", "/node/live", "")).StatusCode);
        Assert.Equal(405, (await AskAsync("POST", "/node/live", "")).StatusCode);
        _site.Self.Leave();
        Assert.Equal(503, (await AskAsync("GET", "/node/live", "")).StatusCode);

        foreach (string said in (string[])["id=b;site=there", "id=c;site=here", "site=here", "id=self;site=here"])
        {
            Assert.Equal(403, (await AskAsync("GET", "/node/live", said)).StatusCode);
        }

        Assert.Equal(4, _site.Counters.Totals.Refused);
    }

    [Fact]
    public async Task Handle_AProbeOfANodeThatIsNotKnownYet_BeginsARoundOfProbes()
    {
        await AskAsync("GET", "/node/live", "", "process-of-b");
        await AskAsync("GET", "/node/live", "", "");
        Assert.False(_rounds.Rounds.IsUnderWay);
        Assert.Equal(204, (await AskAsync("GET", "/node/live", "", "process-of-b;member")).StatusCode);
        Assert.True(_rounds.Rounds.IsUnderWay);
        await Waiting.UntilAsync(() => _rounds.Begun.Count == 1);
    }

    /// <summary>Asks as a node whose certificate has the names <c>b</c> and <c>self</c>.</summary>
    private async Task<HttpResponse> AskAsync(string method, string target, string said, string greeting = "")
    {
        var context = new DefaultHttpContext();
        context.Request.Method = method;
        context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget = target;
        context.Request.Headers[NodeAnnouncement.Field] = said;
        context.Request.Headers[NodeGreeting.Field] = greeting;
        context.Response.Body = new MemoryStream();
        await _endpoint.HandleAsync(context, ["B", "self"]).InTimeAsync();
        return context.Response;
    }
}
