using System.Text.Json;
using Breakwater.Proxy.Cluster;
using Breakwater.Repositories;

namespace Breakwater.Proxy.Tests.Cluster;

/// <summary>What nodes say of themselves, and what is taken for it.</summary>
public sealed class NodeAnnouncementTests
{
    [Fact]
    public void TryParse_OfWhatWasSaid_IsTheSame()
    {
        var said = new NodeAnnouncement("squid1.example.org", "here", 1, 2.5, "abc", "0f");

        Assert.True(NodeAnnouncement.TryParse(said.ToString(), out NodeAnnouncement? heard));
        Assert.Equal(said, heard);
    }

    [Theory]
    [InlineData("id=a;site=s;instance=i;protocol=1;weight=1", "")]
    [InlineData(" later=x ; id=a; site=s;;instance=i ;protocol=1;weight=1;nothing;=y;state=00", "00")]
    [InlineData("state=a=b;id=a;site=s;instance=i;protocol=1;weight=1", "a=b")]
    public void TryParse_MoreOrLessThanIsNeeded_IsRead(string text, string state)
    {
        Assert.True(NodeAnnouncement.TryParse(text, out NodeAnnouncement? heard));
        Assert.Equal(new NodeAnnouncement("a", "s", 1, 1, "i", state), heard);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("site=s;instance=i;protocol=1;weight=1")]
    [InlineData("id=a;instance=i;protocol=1;weight=1")]
    [InlineData("id=a;site=s;protocol=1;weight=1")]
    [InlineData("id=a;site=s;instance=i;weight=1")]
    [InlineData("id=a;site=s;instance=i;protocol=1")]
    [InlineData("id=a b;site=s;instance=i;protocol=1;weight=1")]
    [InlineData("id=a;site=s;instance=i;protocol=-1;weight=1")]
    [InlineData("id=a;site=s;instance=i;protocol=1;weight=0")]
    [InlineData("id=a;site=s;instance=i;protocol=1;weight=-1")]
    [InlineData("id=a;site=s;instance=i;protocol=1;weight=NaN")]
    [InlineData("id=a;site=s;instance=i;protocol=1;weight=Infinity")]
    [InlineData("id=a;site=s;instance=i;protocol=1;weight=x")]
    public void TryParse_WithoutWhatIsNeeded_IsNone(string? text)
    {
        Assert.False(NodeAnnouncement.TryParse(text, out NodeAnnouncement? heard));
        Assert.Null(heard);
    }

    [Theory]
    [InlineData(512, true)]
    [InlineData(513, false)]
    public void TryParse_Length_IsBounded(int length, bool isRead) => Assert.Equal(
        isRead, NodeAnnouncement.TryParse("id=a;site=s;instance=i;protocol=1;weight=1;state=".PadRight(length, 'x'), out _));

    [Fact]
    public void Offer_ReadAgain_HasItsRepositoriesAndNoneOfAMadeUpName()
    {
        Fqrn fqrn = Fqrn.Parse("a.example.org");
        var offer = new NodeOffer(new Dictionary<Fqrn, ulong> { [fqrn] = 7 }, new Dictionary<Fqrn, long> { [fqrn] = 8 },
            new Dictionary<Fqrn, string> { [fqrn] = "boot:1" });
        string json = JsonSerializer.Serialize(offer, NodeOffer.Options);

        NodeOffer back = JsonSerializer.Deserialize<NodeOffer>(
            json.Replace("{\"a.example.org\":7", "{\"not a name\":1,\"a.example.org\":7", StringComparison.Ordinal), NodeOffer.Options)!;

        Assert.Contains("{\"a.example.org\":7", json, StringComparison.Ordinal);
        Assert.Equal([KeyValuePair.Create(fqrn, 7UL)], back.Repositories.AsEnumerable());
        Assert.Equal([KeyValuePair.Create(fqrn, 8L)], back.Boots!.AsEnumerable());
        Assert.Equal([KeyValuePair.Create(fqrn, "boot:1")], back.Sets!.AsEnumerable());
        Assert.Null(JsonSerializer.Deserialize<NodeOffer>("{\"repositories\":{}}", NodeOffer.Options)!.Boots);
    }

    [Theory]
    [InlineData("GET", "status", true)]
    [InlineData("GET", "status?x=..%2f", true)]
    [InlineData("GET", "cluster/facts", true)]
    [InlineData("POST", "warm", true)]
    [InlineData("POST", "http/purge", true)]
    [InlineData("DELETE", "pins", true)]
    [InlineData("DELETE", "seeds/a", true)]
    [InlineData("DELETE", "seeds/abc", true)]
    [InlineData("DELETE", "seeds/", false)]
    [InlineData("DELETE", "seeds/ab/c", false)]
    [InlineData("DELETE", "seeds", false)]
    [InlineData("DELETE", "seeds/a..b", false)]
    [InlineData("DELETE", "seeds/a%2fb", false)]
    [InlineData("GET", "seeds/a", false)]
    [InlineData("POST", "status", false)]
    [InlineData("GET", "statusx", false)]
    [InlineData("GET", "", false)]
    [InlineData("POST", "cluster/leave", false)]
    public void Admin_WhatNodesDoForEachOther_IsAFewThings(string method, string path, bool isAllowed) =>
        Assert.Equal(isAllowed, NodeAdmin.IsAllowed(method, path));

    [Fact]
    public async Task Answer_ToANode_BeginsWithItsHeadOnce()
    {
        using var sent = new MemoryStream();
        int heads = 0;
        await using var answer = new NodeAnswer(sent, () =>
        {
            heads++;
            return [1, 2];
        });
        Assert.Equal(0, sent.Length);

        await answer.WriteAsync(new byte[] { 3 });
        await answer.FlushAsync();
        await answer.WriteAsync(new byte[] { 4, 5 });
        await answer.EndAsync(CancellationToken.None);

        Assert.Equal([1, 2, 3, 4, 5], sent.ToArray());
        Assert.Equal((1, 3L), (heads, answer.BodyBytes));
    }

    [Fact]
    public async Task Answer_ToANodeWithoutABody_IsItsHead()
    {
        using var sent = new MemoryStream();
        await using var answer = new NodeAnswer(sent, () => [1, 2]);

        await answer.EndAsync(CancellationToken.None);

        Assert.Equal([1, 2], sent.ToArray());
        Assert.Equal(0, answer.BodyBytes);
    }
}
