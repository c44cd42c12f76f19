using System.Diagnostics.Metrics;
using System.Text.RegularExpressions;
using Breakwater.Proxy.Admin;
using Breakwater.Proxy.Observability;
using Breakwater.TestSupport;
using Microsoft.Extensions.DependencyInjection;

namespace Breakwater.Proxy.FunctionalTests.Admin;

/// <summary>docs/operate/metrics.md and what is exported are the same list.</summary>
public sealed partial class MetricsPageTests
{
    [Fact]
    public async Task Page_NamesExactlyWhatIsExported()
    {
        SortedSet<string> instruments = [];
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, _) =>
            {
                if (instrument.Meter.Name == ProxyCounters.MeterName)
                {
                    lock (instruments)
                    {
                        instruments.Add(instrument.Name.Replace('.', '_'));
                    }
                }
            },
        };
        listener.Start();
        string page = await File.ReadAllTextAsync(Checkout.PathOf("docs", "operate", "metrics.md"));
        SortedSet<string> documented = [.. Row().Matches(page).Select(match => match.Groups[1].Value)];
        await using ScriptedUpstream upstream = ScriptedUpstream.Start();
        SyntheticObject item = new SyntheticObject(1000).On(upstream);
        await using ProxyUnderTest proxy = await ProxyUnderTest.StartAsync(upstream);
        using RawHttpClient client = await proxy.ConnectAsync();
        await client.SendAsync(RawHttpClient.Request("GET", item.Url));
        Assert.Equal(item.Bytes, (await client.ReadResponseAsync()).Body);

        using var http = new HttpClient();
        string text = await http.GetStringAsync(new Uri(proxy.Services.GetRequiredService<AdminServer>().Address!, "/metrics"));
        SortedSet<string> exported = [.. Type().Matches(text).Select(match => match.Groups[1].Value)];

        Assert.NotEmpty(exported);
        Assert.Empty(exported.Except(documented));
        lock (instruments)
        {
            Assert.DoesNotContain(instruments, name => !documented.Any(row => row.StartsWith(name, StringComparison.Ordinal)));
            Assert.DoesNotContain(documented, row => !instruments.Any(name => row.StartsWith(name, StringComparison.Ordinal)));
        }
    }

    [GeneratedRegex(@"^\| `(breakwater_[a-z_]+)`", RegexOptions.Multiline)]
    private static partial Regex Row();

    [GeneratedRegex(@"^# TYPE (breakwater_[a-z_]+) ", RegexOptions.Multiline)]
    private static partial Regex Type();
}
