using System.Collections.Concurrent;
using Breakwater.Proxy.Commands.Demo;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.FunctionalTests.Store;

/// <summary>kill -9 of the real process while it fills its store, again and again on the same store.</summary>
public sealed class KillTests : IAsyncLifetime
{
    private const int Rounds = 3;
    private const int Clients = 8;
    private const int ObjectsPerRound = 400;

    // What the store promises: everything fetched longer ago than a few commit intervals (200 ms) is durable. Ten of them.
    private static readonly TimeSpan s_durableAfter = TimeSpan.FromSeconds(2);

    private readonly TemporaryDirectory _directory = new();
    private readonly ScriptedUpstream _upstream = ScriptedUpstream.Start();
    private readonly Dictionary<string, SyntheticObject> _items = [];

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        await _upstream.DisposeAsync();
        _directory.Dispose();
    }

    [Fact]
    public async Task Kill_UnderWriteLoadThreeTimes_EverythingAcknowledgedIsThereAndRight()
    {
        HashSet<string> durable = [];
        for (int round = 0; round < Rounds; round++)
        {
            ConcurrentQueue<SyntheticObject> acknowledged = new();
            await using (ProxyProcess proxy = await StartProxyAsync())
            {
                await LoadAsync(proxy, MakeObjects(round * 2), acknowledged, killAfter: int.MaxValue);
                await Task.Delay(s_durableAfter);
                durable.UnionWith(acknowledged.Select(o => o.Path));

                // And now in the middle of more.
                await LoadAsync(proxy, MakeObjects((round * 2) + 1), acknowledged, killAfter: 50 + (round * 60));
            }

            HashSet<string> found = await ReadBackAsync();
            Assert.Superset(durable, found);

            // What one restart has found is durable, whenever it was written.
            durable.UnionWith(found);
        }

        Assert.True(durable.Count >= Rounds * ObjectsPerRound);
    }

    private List<SyntheticObject> MakeObjects(int batch)
    {
        List<SyntheticObject> objects = [];
        Random random = new(batch);
        for (int i = 0; i < ObjectsPerRound; i++)
        {
            // Mostly small, some of several parts.
            int size = i % 40 == 0 ? random.Next(1 << 20, 3 << 20) : random.Next(1, 60_000);
            SyntheticObject item = new SyntheticObject(size, (batch * ObjectsPerRound) + i).On(_upstream);
            _items.Add(item.Path, item);
            objects.Add(item);
        }

        return objects;
    }

    private static async Task LoadAsync(
        ProxyProcess proxy, List<SyntheticObject> objects, ConcurrentQueue<SyntheticObject> acknowledged, int killAfter)
    {
        int next = -1;
        int done = 0;
        await Task.WhenAll(Enumerable.Range(0, Clients).Select(_ => Task.Run(ReadAsync)));
        Assert.Equal(killAfter != int.MaxValue, proxy.HasExited);

        async Task ReadAsync()
        {
            using RawHttpClient client = await RawHttpClient.ConnectAsync(proxy.EndPoint);
            int mine;
            while ((mine = Interlocked.Increment(ref next)) < objects.Count)
            {
                try
                {
                    RawResponse response = await client.GetAsync(objects[mine].Url);
                    if (!response.IsComplete && killAfter != int.MaxValue)
                    {
                        return;
                    }

                    Assert.True(response.Status == 200 && objects[mine].Bytes.AsSpan().SequenceEqual(response.Body));
                }
                catch (Exception e) when (killAfter != int.MaxValue && e is EndOfStreamException or System.Net.Sockets.SocketException)
                {
                    return;
                }

                acknowledged.Enqueue(objects[mine]);
                if (Interlocked.Increment(ref done) == killAfter)
                {
                    await proxy.KillAsync();
                }
            }
        }
    }

    /// <summary>Asks for everything with the Stratum 1 down: what comes is from the store, and must be right.</summary>
    private async Task<HashSet<string>> ReadBackAsync()
    {
        HashSet<string> found = [];
        _upstream.Everything = UpstreamBehaviour.WithStatus(503);
        await using ProxyProcess proxy = await StartProxyAsync();
        using RawHttpClient client = await RawHttpClient.ConnectAsync(proxy.EndPoint);
        foreach (SyntheticObject item in _items.Values)
        {
            RawResponse response = await client.GetAsync(item.Url);
            Assert.True(response.Status is 200 or 502, $"{response.Status} for {item.Path}");
            if (response.Status == 200)
            {
                Assert.True(response.IsComplete && item.Bytes.AsSpan().SequenceEqual(response.Body), $"wrong bytes for {item.Path}");
                found.Add(item.Path);
            }
        }

        await proxy.KillAsync();
        _upstream.Heal();
        return found;
    }

    private Task<ProxyProcess> StartProxyAsync() => ProxyProcess.StartAsync(
        new Dictionary<string, string>
        {
            ["Proxy__Listen__0"] = "127.0.0.1:0",
            ["Admin__Listen"] = "127.0.0.1:0",
            ["Proxy__FirstByteTimeout"] = "00:00:30",
            ["Proxy__AnswerTimeout"] = "00:01:00",
            ["Store__Path"] = _directory.Combine("store"),
            ["ReverseProxy__Clusters__test__Destinations__s1__Address"] = _upstream.Address,
            ["Repositories__*.example.org__Cluster"] = "test",
            ["ReverseProxy__Clusters__stratum1__HealthCheck__Active__Enabled"] = "false",
            ["ReverseProxy__Clusters__egi__HealthCheck__Active__Enabled"] = "false",
            ["ReverseProxy__Clusters__osg__HealthCheck__Active__Enabled"] = "false",
        },
        CancellationToken.None);
}
