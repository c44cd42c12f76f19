using Breakwater.Proxy.Cluster;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.FunctionalTests.Cluster;

/// <summary>A node that begins its answers and never ends them: what it owns still comes from a Stratum 1 once.</summary>
public sealed class DrippingNodeTests
{
    [Fact]
    public async Task Owner_BeginsAndNeverEnds_ClientsOfTheNextNodeAndOtherNodesShareOneRequest()
    {
        await using ScriptedUpstream upstream = ScriptedUpstream.Start();
        upstream.Everything = new UpstreamBehaviour { DelayBeforeHead = TimeSpan.FromMilliseconds(300) };
        await using SiteOfNodes site = await SiteOfNodes.StartAsync(3, [upstream], running: 2);
        SyntheticObject[] items = ItsOwn(upstream, 6);
        var over = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using FakeNode fake = await FakeNode.StartAsync(site.NodePort(2), site.Authority,
            new NodeAnnouncement("n2", "default", NodeAnnouncement.CurrentProtocol, 1, "fake", ""), async context =>
            {
                // Wrong bytes as well: they must not be gone on with.
                context.Response.ContentLength = items[0].Bytes.Length;
                await context.Response.Body.WriteAsync(new byte[100]);
                await context.Response.Body.FlushAsync();
                await over.Task.WaitAsync(context.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            });
        await site.SeesAllAsync(3);

        RawResponse[] answers = await Task.WhenAll(from item in items from node in site.Running select site[node].GetAsync(item.Path));
        over.TrySetResult();

        Assert.All(answers.Chunk(2).Zip(items), pair => Assert.All(pair.First, answer =>
            Assert.True(pair.Second.Bytes.AsSpan().SequenceEqual(answer.Body))));
        Assert.All(items, item => Assert.Equal(1, upstream.RequestCount(item.Path)));
        Assert.True(fake.Requests > 0);
    }

    /// <summary>Objects of the node that is not there yet; long enough that a few bytes of them are late.</summary>
    private static SyntheticObject[] ItsOwn(ScriptedUpstream upstream, int count)
    {
        var ring = new Ring([new("n0"), new("n1"), new("n2")]);
        return [.. Enumerable.Range(0, int.MaxValue).Select(i => new SyntheticObject(200_000, i))
            .Where(item => ring.Owner(Ring.KeyOf(item.Key))!.Id == "n2").Take(count).Select(item => item.On(upstream))];
    }
}
