using System.Net;
using System.Net.Sockets;
using Breakwater.Proxy.Cluster;
using Breakwater.Proxy.Observability;
using Breakwater.Proxy.Tests.TestSupport;
using Breakwater.Proxy.WorkingSets;
using Breakwater.TestSupport;
using Microsoft.Extensions.Logging.Abstractions;
using Yarp.ReverseProxy.Health;
using Yarp.ReverseProxy.Model;

namespace Breakwater.Proxy.Tests.Cluster;

/// <summary>What a node makes of the others' answers to its probes, and what health says of it.</summary>
public sealed class NodeProbesTests : IDisposable
{
    private readonly TestSite _site = new();
    private readonly PoolLateness _lateness;
    private readonly NodeProbes _probes;
    private readonly LogLines<NodeProbes> _log = new();
    private readonly Dictionary<string, DestinationState> _destinations = [];

    public NodeProbesTests()
    {
        _lateness = new PoolLateness(_site.Time);
        var sets = new WorkingSetStore(new HeldDocuments(), _site.Time, NullLogger<WorkingSetStore>.Instance);
        var learning = new NodeLearning(new SiteBoots(_site.Nodes), sets, _site.Nodes);
        var sync = new NodeSync(null!, null!, learning, _site.Nodes, _site.Proxy, null!, NullLogger<NodeSync>.Instance); // no state to read
        _probes = new NodeProbes(_site.Nodes, _site.Self, _site.Options, _site.Strikes, _lateness, () => sync, _site.Time,
            _log);
    }

    public void Dispose()
    {
        _lateness.Dispose();
        _site.Dispose();
    }

    [Fact]
    public void Round_NodesOfTheSite_AreInTheRing()
    {
        Round(Says("self", 204, _site.Self.Announcement), Says("b", 204));

        Assert.Equal([("b", NodeStanding.Alive, false), ("self", NodeStanding.Alive, true)],
            _site.Nodes.View.Known.Select(node => (node.Announcement!.Id, node.Standing, node.IsSelf)));
        Assert.Equal(["b", "self"], _site.Nodes.View.Ring.Members.Select(member => member.Id));
        Assert.All(_site.Nodes.View.Known, node => Assert.Equal(_site.Time.GetTimestamp(), node.AnsweredAt));
        Assert.Empty(Findings());
    }

    [Fact]
    public void Round_ThatChangesSomething_IsSaidOnce()
    {
        Round(Says("self", 204, _site.Self.Announcement), Says("b", 204));
        Round(Says("self", 204, _site.Self.Announcement), Says("b", 204));
        Assert.Equal("The ring has 2 nodes; the others as seen from here: b Alive", Assert.Single(_log.Said));

        Round(Says("self", 204, _site.Self.Announcement), Says("b", 503));
        Assert.Equal("The ring has 1 nodes; the others as seen from here: b Leaving", _log.Said[^1]);
        Assert.Equal(2, _log.Said.Count);
    }

    /// <summary>Whether this node is in its own list can be told only when somebody has answered.</summary>
    [Fact]
    public void Find_BeforeAnybodyHasAnswered_SaysNothing()
    {
        Round(Fails("b", null));
        Assert.Empty(Findings());

        Round(Says("b", 204));
        Assert.Equal(["node-not-listed"], Findings());
    }

    [Fact]
    public void Find_OfANodeThatIsDead_NamesItAsItNamedItself()
    {
        Round(Says("self", 204, _site.Self.Announcement), Says("b", 204));
        Round(Says("self", 204, _site.Self.Announcement), Fails("b", new SocketException((int)SocketError.ConnectionRefused)));

        Assert.StartsWith("Node b (b.example.org:3129) does not answer: ", Assert.Single(Health().Find()).Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Round_WhoIsNoMember_IsSaidWhy()
    {
        Round(
            Says("b", 503), Says("c", 204, _site.Announcement("c") with { Site = "there" }),
            Says("d", 204, _site.Announcement("d") with { Protocol = 2 }), Says("e", 404), Says("f", 200, said: null),
            Says("g", 204, _site.Announcement("self")));

        Assert.Equal(
            [
                (NodeStanding.Leaving, "it is about to stop, or was told to leave"), (NodeStanding.Foreign, "it is a node of site 'there'"),
                (NodeStanding.Foreign, "it speaks version 2 of the nodes' protocol, this one 1"),
                (NodeStanding.Foreign, "it answered 404"), (NodeStanding.Foreign, "what answers there is no node: 200"),
                (NodeStanding.Duplicate, "its id 'self' is this node's"),
            ],
            _site.Nodes.View.Known.Select(node => (node.Standing, node.Problem)));
        Assert.Equal(["node-foreign", "node-foreign", "node-foreign", "node-foreign", "node-duplicate", "node-not-listed"], Findings());
        Assert.Equal(["self"], _site.Nodes.View.Ring.Members.Select(member => member.Id));
    }

    [Fact]
    public void Round_TwoOfOneId_TheFirstCounts()
    {
        Round(Says("b", 204), Says("c", 204, _site.Announcement("b") with { Instance = "another" }));

        Assert.Equal([(NodeStanding.Alive, null), (NodeStanding.Duplicate, "its id 'b' is another node's")],
            _site.Nodes.View.Known.Select(node => (node.Standing, node.Problem)));
    }

    [Fact]
    public void Failures_InARow_MakeANodeDeadAndOneAnswerAlive()
    {
        Round(Says("self", 204, _site.Self.Announcement), Says("b", 204));
        foreach (NodeStanding expected in (NodeStanding[])[NodeStanding.Alive, NodeStanding.Alive, NodeStanding.Dead, NodeStanding.Dead])
        {
            Round(Fails("b", null));
            Assert.Equal(expected, Standing());
        }

        Assert.Equal(["node-dead", "node-not-listed"], Findings());
        Round(Says("b", 204));
        Assert.Equal((NodeStanding.Alive, null), (Standing(), _site.Nodes.View.Known[0].Problem));
        Round(Fails("b", null));
        Round(Fails("b", null));
        Assert.Equal(NodeStanding.Alive, Standing());
    }

    [Fact]
    public void Failure_RefusedConnection_IsCertainAtOnce()
    {
        Round(Says("b", 204));
        Round(Fails("b", new HttpRequestException("x", new SocketException((int)SocketError.ConnectionReset))));
        Assert.Equal(NodeStanding.Alive, Standing());

        Round(Fails("b", new HttpRequestException("x", new SocketException((int)SocketError.ConnectionRefused))));
        Assert.Equal(NodeStanding.Dead, Standing());
    }

    [Fact]
    public void Failure_OfANodeThatWasLeaving_IsItsEnd()
    {
        Round(Says("b", 503));
        Round(Fails("b", null));

        Assert.Equal(NodeStanding.Dead, Standing());
    }

    /// <summary>Whoever was away and is back is not skipped any longer for what it failed before.</summary>
    [Fact]
    public void Answer_OfANewProcessOrAfterAFailure_ForgetsItsStrikes()
    {
        Round(Says("b", 204));
        _site.Strikes.Refused("b");
        Round(Says("b", 204));
        Assert.True(_site.Strikes.IsOut("b"));
        Assert.Contains("node-skipped", Findings());

        Round(Says("b", 204, _site.Announcement("b") with { Instance = "new" }));
        Assert.False(_site.Strikes.IsOut("b"));

        _site.Strikes.Refused("b");
        Round(Fails("b", null));
        Assert.True(_site.Strikes.IsOut("b"));
        Round(Says("b", 204, _site.Announcement("b") with { Instance = "new" }));
        Assert.False(_site.Strikes.IsOut("b"));
    }

    [Fact]
    public void Round_WithoutANode_ForgetsItAndItsStrikes()
    {
        Round(Says("b", 204), Says("c", 204));
        _site.Strikes.Refused("c");

        Round(Says("b", 204));

        Assert.Single(_site.Nodes.View.Known);
        Assert.False(_site.Strikes.IsOut("c"));
    }

    private NodeStanding Standing() => _site.Nodes.View.Known.Single(node => node.Address.StartsWith('b')).Standing;

    private ClusterHealth Health() =>
        new(_site.Nodes, new NodeRefusals(_site.Counters, _site.Time, NullLogger<NodeRefusals>.Instance));

    private IEnumerable<string> Findings() => Health().Find().Select(one => one.Name);

    private void Round(params DestinationProbingResult[] results) => _probes.ProbingCompleted(_site.State, results);

    private DestinationProbingResult Says(string id, int status) => Says(id, status, _site.Announcement(id));

    private DestinationProbingResult Says(string id, int status, NodeAnnouncement? said)
    {
        var response = new HttpResponseMessage((HttpStatusCode)status);
        if (said is not null)
        {
            response.Headers.TryAddWithoutValidation(NodeAnnouncement.Field, said.ToString());
        }

        return new DestinationProbingResult(Destination(id), response, null);
    }

    private DestinationProbingResult Fails(string id, Exception? why) => new(Destination(id), null, why);

    private DestinationState Destination(string id) =>
        _destinations.TryGetValue(id, out DestinationState? known) ? known : _destinations[id] = _site.Destination(id);
}
