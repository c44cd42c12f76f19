using Breakwater.CacheStore;
using Breakwater.Proxy.Fetching;
using Breakwater.Proxy.Outcomes;
using Breakwater.Proxy.Upstreams;
using Breakwater.Repositories;
using Microsoft.Extensions.Time.Testing;

namespace Breakwater.Proxy.Tests.Fetching;

/// <summary>Which 404s are remembered, of what, and in how much memory.</summary>
public sealed class NotFoundMemoryTests
{
    private static readonly UpstreamFailure s_failure = new(FailureKind.NotFound, "none of 3 Stratum 1s has it");
    private static readonly ObjectKey s_key = new(new byte[20], DigestAlgorithm.Sha1, ObjectKind.Chunk);

    [Fact]
    public void Find_SameObjectUnderAnotherRepositoryPathOrCluster_IsNotRemembered()
    {
        using var memory = new NotFoundMemory(new FakeTimeProvider());
        memory.Remember(Order("a.example.org", "c1", "data/x"), s_failure);
        Assert.Same(s_failure, memory.Find(Order("a.example.org", "c1", "data/x")));
        Assert.Null(memory.Find(Order("b.example.org", "c1", "data/x")));
        Assert.Null(memory.Find(Order("a.example.org", "c2", "data/x")));
        Assert.Null(memory.Find(Order("a.example.org", "c1", ".cvmfsalt-x")));
    }

    [Fact]
    public void Find_AfterTwoSeconds_IsForgotten()
    {
        FakeTimeProvider time = new();
        using var memory = new NotFoundMemory(time);
        memory.Remember(Order("a.example.org", "c1", "data/x"), s_failure);

        time.Advance(TimeSpan.FromSeconds(1.9));
        Assert.NotNull(memory.Find(Order("a.example.org", "c1", "data/x")));
        time.Advance(TimeSpan.FromSeconds(0.1));
        Assert.Null(memory.Find(Order("a.example.org", "c1", "data/x")));
    }

    [Fact]
    public void Remember_MadeUpNamesWithoutEnd_StaysWithinItsBytes()
    {
        using var memory = new NotFoundMemory(new FakeTimeProvider());
        string longName = new('n', 200);
        int most = 0;
        for (int i = 0; i < 60_000; i++)
        {
            memory.Remember(Order($"{longName}{i}.example.org", "c1", s_key.ToPath()), s_failure);
            most = Math.Max(most, memory.Count);
        }

        Assert.InRange(most, 1_000, NotFoundMemory.MaxBytes / (2 * 200));
    }

    private static FetchOrder Order(string fqrn, string cluster, string path) =>
        new(s_key, new RepositoryRoute(Fqrn.Parse(fqrn), cluster), path, null, FetchPriority.Demand);
}
