using System.Net;
using System.Net.Sockets;
using Breakwater.Proxy.Cluster;
using Breakwater.Proxy.Settings;
using Breakwater.Proxy.Upstreams;
using Breakwater.TestSupport;
using Microsoft.Extensions.Time.Testing;

namespace Breakwater.Proxy.Tests.Cluster;

/// <summary>Which nodes YARP probes: those of the list, and those behind a name that is looked up again and again.</summary>
public sealed class NodeMembersTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly LogLines<NodeMembers> _log = new();
    private readonly Names _names = new();

    [Fact]
    public async Task List_WithoutAName_IsWhatItIs()
    {
        using NodeMembers members = Members("https://a.example.org:3129/", "https://A.example.org:3129", "https://b.example.org:3130");
        await members.StartAsync(default);

        await members.ExecuteTask!.InTimeAsync();
        Assert.Equal(["https://a.example.org:3129", "https://b.example.org:3130"], Nodes(members));
        Assert.Equal(0, _names.Asked);
    }

    [Fact]
    public async Task Name_WhoseAddressesChange_IsFollowed()
    {
        using NodeMembers members = Members("https://a.example.org:3129", "dns://nodes.example.org:3130");
        Assert.Equal(["https://a.example.org:3129"], Nodes(members));
        _names.Answer = _ => [IPAddress.Parse("192.0.2.2"), IPAddress.Parse("192.0.2.1"), IPAddress.Parse("192.0.2.2")];
        await members.StartAsync(default);
        await SeesAsync(members, "https://192.0.2.1:3130", "https://192.0.2.2:3130", "https://a.example.org:3129");

        _names.Answer = _ => [IPAddress.Parse("2001:db8::1")];
        await SeesAsync(members, "https://[2001:db8::1]:3130", "https://a.example.org:3129");
        await members.StopAsync(default);
    }

    /// <summary>A resolver that fails, or has nothing to say, takes nobody out.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Name_ThatDoesNotResolve_KeepsItsLastAddresses(bool fails)
    {
        using NodeMembers members = Members("dns://nodes.example.org:3130");
        _names.Answer = _ => [IPAddress.Parse("192.0.2.1")];
        await members.StartAsync(default);
        await SeesAsync(members, "https://192.0.2.1:3130");

        _names.Answer = _ => fails ? throw new SocketException((int)SocketError.HostNotFound) : [];
        int asked = _names.Asked;
        await Waiting.UntilAsync(() =>
        {
            _time.Advance(TimeSpan.FromSeconds(10));
            return _names.Asked >= asked + 2;
        });
        await members.StopAsync(default);
        Assert.Equal(["https://192.0.2.1:3130"], Nodes(members));
        Assert.Equal(fails, _log.Said.Any(line => line.Contains("nodes.example.org does not resolve", StringComparison.Ordinal)));
    }

    private static string[] Nodes(NodeMembers members) =>
        [.. Assert.Single(members.Config.GetConfig().Clusters).Destinations!.Values.Select(d => d.Address).Order(StringComparer.Ordinal)];

    private NodeMembers Members(params string[] nodes) => new(new ClusterOptions { Name = "a", Nodes = nodes }, _names, _time, _log);

    private Task SeesAsync(NodeMembers members, params string[] nodes) => Waiting.UntilAsync(() =>
    {
        _time.Advance(TimeSpan.FromSeconds(1));
        return Nodes(members).SequenceEqual(nodes);
    });

    private sealed class Names : IHostNames
    {
        private int _asked;

        public int Asked => Volatile.Read(ref _asked);

        public Func<string, IPAddress[]> Answer { get; set; } = _ => [];

        public Task<IPAddress[]> ResolveAsync(string host, CancellationToken cancellationToken)
        {
            Interlocked.Increment(ref _asked);
            try
            {
                return Task.FromResult(Answer(host));
            }
            catch (SocketException e)
            {
                return Task.FromException<IPAddress[]>(e);
            }
        }
    }
}
