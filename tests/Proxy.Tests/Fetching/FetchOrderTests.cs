using System.Net;
using Breakwater.CacheStore;
using Breakwater.Proxy.Fetching;
using Breakwater.Proxy.Upstreams;
using Breakwater.Repositories;

namespace Breakwater.Proxy.Tests.Fetching;

public sealed class FetchOrderTests
{
    private static readonly RepositoryRoute s_route = new(Fqrn.Parse("a.example.org"), "c1");

    [Theory]
    [InlineData('C', 0)]
    [InlineData('X', 0)]
    [InlineData('H', 0)]
    [InlineData('P', 1)]
    [InlineData('\0', 1)]
    [InlineData('M', 1)]
    public void Of_AKind_IsAsUrgentAsABootNeedsIt(char kind, int priority)
    {
        var key = new ObjectKey(new byte[20], DigestAlgorithm.Sha1, (ObjectKind)kind);
        var order = FetchOrder.Of(key, s_route, "data/x", "h", IPAddress.Loopback);

        Assert.Equal((FetchPriority)priority, order.Priority);
        Assert.Equal(("/cvmfs/a.example.org/data/x", "h", IPAddress.Loopback), (order.UrlPath, order.Hint, order.Client));
    }

    [Theory]
    [InlineData("a.example.org", "c1", "data/x", true)]
    [InlineData("b.example.org", "c1", "data/x", false)]
    [InlineData("a.example.org", "c2", "data/x", false)]
    [InlineData("a.example.org", "c1", "data/y", false)]
    public void IsSameWay_PathRepositoryAndCluster_AllCount(string fqrn, string cluster, string path, bool expected)
    {
        var key = new ObjectKey(new byte[20], DigestAlgorithm.Sha1, ObjectKind.Chunk);
        var order = FetchOrder.Of(key, s_route, "data/x", "h", null);

        Assert.Equal(expected, order.IsSameWay(FetchOrder.Of(key, new RepositoryRoute(Fqrn.Parse(fqrn), cluster), path, "other", null)));
    }

    [Theory]
    [InlineData("0 10.0.0.1", 0, "10.0.0.1")]
    [InlineData("1 ::1", 1, "::1")]
    [InlineData("2 -", 2, null)]
    [InlineData("1 -", 1, null)]
    [InlineData("1", 1, null)]
    [InlineData("1 10.0.0.1 x", 1, null)]
    [InlineData("3 10.0.0.1", 2, "10.0.0.1")]
    [InlineData("x 10.0.0.1", 2, "10.0.0.1")]
    [InlineData("1 x", 1, null)]
    [InlineData("", 2, null)]
    [InlineData(null, 2, null)]
    public void ReadErrand_WhatAnotherNodeSays_IsAsUrgentAsThatAndOnItsClientsAccount(string? errand, int priority, string? client) =>
        Assert.Equal(((FetchPriority)priority, client is null ? null : IPAddress.Parse(client)), NodeWay.ReadErrand(errand));

    [Theory]
    [InlineData(0, "10.0.0.1", "0 10.0.0.1")]
    [InlineData(2, null, "2 -")]
    public void ErrandOf_PriorityAndClient_IsReadAsThem(int priority, string? client, string errand)
    {
        IPAddress? address = client is null ? null : IPAddress.Parse(client);

        Assert.Equal(errand, NodeWay.ErrandOf((FetchPriority)priority, address));
        Assert.Equal(((FetchPriority)priority, address), NodeWay.ReadErrand(errand));
    }
}
