using System.Net;
using Breakwater.Proxy.Access;
using Microsoft.Extensions.Time.Testing;

namespace Breakwater.Proxy.Tests.Access;

/// <summary>The clients of the last day are counted, not those that happen to be connected.</summary>
public sealed class ClientsSeenTests
{
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public void Count_OfClientsThatCameAndWent_IsThatOfTheLastDay()
    {
        ClientLimits limits = new(0, 0, _time);
        foreach (string address in (string[])["10.0.0.1", "10.0.0.2", "::ffff:10.0.0.2", "2001:db8::1", "2001:db8::2"])
        {
            Assert.True(limits.TryEnter(IPAddress.Parse(address)));
            limits.Leave(IPAddress.Parse(address));
        }

        _time.Advance(TimeSpan.FromHours(11));
        Assert.Equal(3, limits.Seen.Count);

        _time.Advance(TimeSpan.FromHours(2));
        Assert.True(limits.TryEnter(IPAddress.Parse("10.0.0.1")));
        Assert.Equal(3, limits.Seen.Count);

        _time.Advance(TimeSpan.FromHours(12));
        Assert.Equal(1, limits.Seen.Count);
        _time.Advance(TimeSpan.FromDays(3));
        Assert.Equal(0, limits.Seen.Count);
    }

    [Fact]
    public void Note_OfMoreThanAreToldApart_StaysAtTheBound()
    {
        ClientsSeen seen = new(_time);
        for (int i = 0; i < ClientsSeen.Most + 1000; i++)
        {
            seen.Note(new IPAddress(i));
        }

        Assert.Equal(ClientsSeen.Most, seen.Count);
        _time.Advance(TimeSpan.FromDays(1));
        seen.Note(IPAddress.Loopback);
        Assert.Equal(1, seen.Count);
    }

    [Fact]
    public void Note_OfAKnownClientAtTheBound_StillCountsAsSeenNow()
    {
        ClientsSeen seen = new(_time);
        for (int i = 0; i < ClientsSeen.Most; i++)
        {
            seen.Note(new IPAddress(i));
        }

        _time.Advance(TimeSpan.FromHours(12));
        seen.Note(new IPAddress(0));
        Assert.Equal(ClientsSeen.Most, seen.Count);

        _time.Advance(TimeSpan.FromHours(12));
        Assert.Equal(1, seen.Count);
    }
}
