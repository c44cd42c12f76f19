using System.Net;
using Breakwater.Proxy.ZeroTouch;

namespace Breakwater.Proxy.Tests.ZeroTouch;

/// <summary>The order of a site's proxies for each client.</summary>
public sealed class ProxyOrderTests
{
    private static readonly string[] s_ten = [.. Enumerable.Range(1, 10).Select(i => $"p{i}.example.org:3128")];
    private static readonly IPAddress[] s_clients =
        [.. Enumerable.Range(0, 20_000).Select(i => new IPAddress([10, 7, (byte)(i >> 8), (byte)i]))];

    [Fact]
    public void For_ManyClients_EachProxyIsTheFirstOfAsMany()
    {
        int[] firsts = [.. s_clients.GroupBy(client => ProxyOrder.For(s_ten, client)[0]).Select(group => group.Count())];

        Assert.Equal(10, firsts.Length);
        Assert.All(firsts, count => Assert.InRange(count, 1850, 2150));
    }

    [Fact]
    public void For_TheListInAnotherOrderOrCase_IsTheSame()
    {
        var client = IPAddress.Parse("10.1.2.3");
        string[] order = ProxyOrder.For(s_ten, client);

        Assert.Equal(order, ProxyOrder.For([.. s_ten.Reverse()], client));
        Assert.Equal(order, ProxyOrder.For([.. s_ten.Select(p => p.ToUpperInvariant())], client), StringComparer.OrdinalIgnoreCase);
        Assert.Equal(order, ProxyOrder.For(s_ten, client.MapToIPv6()));
        Assert.Equal(s_ten.Order(), order.Order());
    }

    [Fact]
    public void For_AProxyLess_TheOthersKeepTheirOrder()
    {
        foreach (IPAddress client in s_clients.Take(200))
        {
            Assert.Equal(ProxyOrder.For(s_ten, client).Where(p => p != s_ten[3]),
                ProxyOrder.For([.. s_ten.Where(p => p != s_ten[3])], client));
        }
    }
}
