using Breakwater.Proxy.Observability;
using Breakwater.TestSupport;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace Breakwater.Proxy.FunctionalTests.Serving;

/// <summary>How old a document is said to be, and when it is checked again, on both ways (RFC 9111, 4.2.3).</summary>
public sealed class DocumentAgeTests
{
    private const string Path = "/cvmfs/synthetic.example.org/.cvmfsreflog";

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Document_WithAnAgeOfItsOwn_GrowsOlderAndIsCheckedAgainAfterAMinute(bool rawPath)
    {
        FakeTimeProvider time = new(DateTimeOffset.UtcNow);
        await using ScriptedUpstream upstream = ScriptedUpstream.Start();
        upstream.Put(Path, "one"u8.ToArray());
        upstream.Everything = new UpstreamBehaviour { ExtraHeaders = ["Age: 30"] };
        await using ProxyUnderTest proxy =
            await ProxyUnderTest.StartAsync(new Dictionary<string, string?> { ["Proxy:RawPath"] = rawPath.ToString() }, time, upstream);
        Assert.Equal(("one", "30"), await GetAsync(proxy));
        upstream.Put(Path, "two"u8.ToArray());

        time.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal(("one", "40"), await GetAsync(proxy));
        time.Advance(TimeSpan.FromSeconds(50.9));
        Assert.Equal(("one", "90"), await GetAsync(proxy));
        Assert.Equal(1, upstream.RequestCount(Path));
        ProxyCounters counters = proxy.Services.GetRequiredService<ProxyCounters>();
        await Waiting.UntilAsync(() => counters.HitPathAnswers == (rawPath ? 2 : 0)); // counted once the answer is out

        time.Advance(TimeSpan.FromSeconds(0.2));
        Assert.Equal(("two", "30"), await GetAsync(proxy));
        Assert.Equal(2, upstream.RequestCount(Path));
    }

    private static async Task<(string Text, string? Age)> GetAsync(ProxyUnderTest proxy)
    {
        RawResponse response = await proxy.GetAsync(Path);
        Assert.Equal(200, response.Status);
        return (System.Text.Encoding.ASCII.GetString(response.Body), response.Header("Age"));
    }
}
