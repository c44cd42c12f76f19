using Breakwater.Proxy.Caching;

namespace Breakwater.Proxy.Tests.Caching;

/// <summary>The stored answers of one URI: their form in the store, and which of them go.</summary>
public sealed class HeadDocumentTests
{
    private static readonly StoredHead s_full = Headers.Stored("ETag: \"a\"|Vary: a, b", 206, "a: 1") with
    {
        Reason = "Partly",
        Source = "s1.example.org:80",
        Arrival = new Arrival(7, 1234),
        RequestedAt = Headers.Now.AddSeconds(-3),
    };

    private static readonly StoredHead s_bare = new()
    {
        Status = 200,
        Fields = Headers.Of("X: y"),
        RequestedAt = Headers.Now,
        ReceivedAt = Headers.Now,
        Length = null,
    };

    [Fact]
    public void Decode_OfWhatWasEncoded_HasAllThatWasKnownOfEach()
    {
        IReadOnlyList<StoredHead> back = HeadDocument.Decode(new HeadDocument([s_bare, s_full]).Encode())!.Variants;

        Assert.Equal(2, back.Count);
        Assert.True(back[0].IsSameAs(s_bare));
        Assert.Equal((null, null, null, null), (back[0].Reason, back[0].Length, back[0].Source, back[0].Arrival));
        Assert.Empty(back[0].BodyId);
        Assert.True(back[1].IsSameAs(s_full));
        Assert.Equal(("s1.example.org:80", new Arrival(7, 1234)), (back[1].Source, back[1].Arrival));
        Assert.Equal((KeyValuePair<string, string?>[])[new("a", "1"), new("b", null)], back[1].VaryValues);
    }

    [Fact]
    public void Decode_WithoutArrivals_HasNone()
    {
        StoredHead head = s_full with { Arrival = null };

        StoredHead back = Assert.Single(HeadDocument.Decode(new HeadDocument([head]).Encode())!.Variants);

        Assert.Equal((head.Source, null), (back.Source, back.Arrival));
        Assert.True(new HeadDocument([head]).Encode().Length < new HeadDocument([s_full]).Encode().Length);
    }

    [Fact]
    public void Decode_OfAnotherForm_IsNone()
    {
        byte[] stored = new HeadDocument([s_full]).Encode();
        stored[0]++;

        Assert.Null(HeadDocument.Decode(stored));
        Assert.Null(HeadDocument.Decode(ReadOnlyMemory<byte>.Empty));
        Assert.Null(HeadDocument.Decode(new HeadDocument([s_full]).Encode().AsMemory(..20)));
    }

    [Fact]
    public void Newest_IsTheFirst()
    {
        Assert.Null(new HeadDocument([]).Newest);
        Assert.Same(s_bare, new HeadDocument([s_bare, s_full]).Newest);
    }

    [Fact]
    public void With_AnAnswerForTheSameRequests_TakesItsPlace()
    {
        StoredHead newer = s_full with { ReceivedAt = Headers.Now.AddSeconds(9) };

        HeadDocument document = new HeadDocument([s_full, s_bare]).With(newer);

        Assert.Equal([newer, s_bare], document.Variants);
        Assert.Same(newer, document.Find(Headers.Of("a: 1")));
        Assert.Same(s_bare, document.Find(Headers.Of("a: 2")));
    }

    [Fact]
    public void Without_IsThatOfTheSameBodyAndTimeAlone()
    {
        StoredHead later = s_full with { ReceivedAt = Headers.Now.AddSeconds(1) };
        StoredHead another = s_full with { BodyId = [9] };
        HeadDocument document = new([s_full, later, another]);

        Assert.Equal([later, another], document.Without(s_full with { Fields = Headers.Of() }).Variants);
        Assert.Equal(document.Variants, document.Without(null).Variants);
    }

    [Fact]
    public void IsSameAs_AnythingElseThatIsSent_IsNot()
    {
        Assert.True(s_full.IsSameAs(s_full with { Fields = s_full.Fields.Copy(), BodyId = [.. s_full.BodyId] }));
        foreach (StoredHead other in (StoredHead[])
        [
            s_full with { Status = 200 }, s_full with { Reason = null }, s_full with { Length = 11 },
            s_full with { RequestedAt = Headers.Now }, s_full with { ReceivedAt = Headers.Now.AddTicks(1) },
            s_full with { BodyId = [1, 2] }, s_full with { Fields = Headers.Of("ETag: \"b\"") },
        ])
        {
            Assert.False(s_full.IsSameAs(other), other.ToString());
        }
    }

    [Fact]
    public void Update_By304_ForgetsWhatIsOfTheWayOfTheStoredAnswer()
    {
        StoredHead old = s_full with { Fields = Headers.Of("Age: 9", "Warning: 110", "X: 1"), HereFor = TimeSpan.FromSeconds(5) };

        StoredHead updated = Freshening.Update(old, Headers.Of("Y: 2"), Headers.Now, Headers.Now.AddSeconds(1));

        Assert.Equal(["X", "Y"], updated.Fields.Select(line => line.Key));
        Assert.Equal((null, TimeSpan.Zero, Headers.Now), (updated.Arrival, updated.HereFor, updated.RequestedAt));
    }
}
