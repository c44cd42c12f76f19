using System.Text;
using Breakwater.Proxy.Settings;
using Breakwater.Proxy.Upstreams;
using Microsoft.AspNetCore.Http;

namespace Breakwater.Proxy.Tests.Upstreams;

/// <summary>Which requests have been here before, and what says so to those that are asked.</summary>
public sealed class LoopGuardTests
{
    private readonly LoopGuard _named = new(new ProxyOptions { Name = "Mine" });
    private readonly LoopGuard _unnamed = new(new ProxyOptions());

    public LoopGuardTests() => ForwardedChain.Current = null;

    [Fact]
    public void Sign_ARequestOfOurOwn_NamesThisProxyOnceAndNoOtherProcess()
    {
        (string via, string loop) = Signed(_named, ("Via", "1.1 somebody"), ("CDN-Loop", "somebody"));

        Assert.Equal("1.1 Mine", via);
        Assert.Matches("^Mine-[0-9a-f]{16}$", loop);
        Assert.NotEqual(loop, Signed(new LoopGuard(new ProxyOptions { Name = "Mine" })).CdnLoop);
    }

    [Theory]
    [InlineData("1.0 other", null, "1.0 other, 1.1 Mine", "")]
    [InlineData(null, "other; a=b", "1.1 Mine", "other; a=b, ")]
    [InlineData("1.1 a, 1.1 b", "c", "1.1 a, 1.1 b, 1.1 Mine", "c, ")]
    [InlineData("1.1 \u00e9", "\u00e9", "1.1 Mine", "")] // our client sends ASCII only
    [InlineData(null, null, "1.1 Mine", "")]
    public void IsLoop_OfOtherProxies_IsNotAndTheirChainIsCarriedOn(string? via, string? cdnLoop, string sentVia, string sentBefore)
    {
        string own = Signed(_named).CdnLoop;

        Assert.False(_named.IsLoop(Fields(via, cdnLoop)));
        Assert.Equal((sentVia, sentBefore + own), Signed(_named));
    }

    [Theory]
    [InlineData("1.1 mine", true)]
    [InlineData("1.1 MINE:3128 (squid/5)", true)]
    [InlineData("1.0 a , HTTP/1.1\tmine", true)]
    [InlineData("1.1 mine2", false)]
    [InlineData("1.1 a mine", false)]
    [InlineData("mine", false)]
    public void IsLoop_OurNameInVia_IsOneWhereItIsOurs(string via, bool expected)
    {
        Assert.Equal(expected, _named.IsLoop(Fields(via, null)));
        Assert.False(_unnamed.IsLoop(Fields(via.Replace("mine", "breakwater", StringComparison.OrdinalIgnoreCase), null)));
    }

    [Fact]
    public void IsLoop_OurOwnIdInCdnLoop_IsOne()
    {
        string own = Signed(_unnamed).CdnLoop;

        Assert.True(_unnamed.IsLoop(Fields(null, $"a, {own.ToUpperInvariant()}, b")));
        Assert.False(_named.IsLoop(Fields(null, own)));
        Assert.True(_unnamed.MayBeLoop([], Encoding.ASCII.GetBytes($"a, {own}")));
    }

    [Theory]
    [InlineData(2048, 0, false)]
    [InlineData(0, 2048, false)]
    [InlineData(1000, 1048, false)]
    [InlineData(2049, 0, true)]
    [InlineData(0, 2049, true)]
    [InlineData(1000, 1049, true)]
    public void IsLoop_AChainWithoutEnd_IsOne(int via, int cdnLoop, bool expected)
    {
        Assert.Equal(expected, _named.IsLoop(Fields(new string('a', via), new string('b', cdnLoop))));
        Assert.Equal(expected, _named.MayBeLoop(Encoding.ASCII.GetBytes(new string('a', via)), new byte[cdnLoop]));
    }

    /// <summary>In doubt it may: then it takes the way on which it is looked at closely.</summary>
    [Theory]
    [InlineData("1.1 mine", "", true)]
    [InlineData("1.1 minestrone", "", true)]
    [InlineData("1.1 other", "", false)]
    [InlineData("1.1 Other", "", true)]
    [InlineData("", "Other", true)]
    [InlineData("", "other", false)]
    [InlineData("", "", false)]
    public void MayBeLoop_BytesOfTheFields_AreLookedAtGenerously(string via, string cdnLoop, bool expected) =>
        Assert.Equal(expected, _named.MayBeLoop(Encoding.ASCII.GetBytes(via), Encoding.ASCII.GetBytes(cdnLoop)));

    [Fact]
    public void MayBeLoop_ViaOfOneThatNobodyNamed_SaysNothing() => Assert.False(_unnamed.MayBeLoop("1.1 breakwater"u8, []));

    private static HeaderDictionary Fields(string? via, string? cdnLoop)
    {
        HeaderDictionary fields = [];
        if (via is not null)
        {
            fields["Via"] = via;
        }

        if (cdnLoop is not null)
        {
            fields["CDN-Loop"] = cdnLoop;
        }

        return fields;
    }

    private static (string Via, string CdnLoop) Signed(LoopGuard guard, params (string Name, string Value)[] fields)
    {
        using var request = new HttpRequestMessage();
        foreach ((string name, string value) in fields)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        guard.Sign(request);
        return (Assert.Single(request.Headers.NonValidated["Via"]), Assert.Single(request.Headers.NonValidated["CDN-Loop"]));
    }
}
