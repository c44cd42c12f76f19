using Breakwater.StoreCrash;
using Xunit.Abstractions;

namespace Breakwater.CacheStore.Tests.Store;

public sealed class CrashTests(ITestOutputHelper output)
{
    [Fact]
    public async Task Store_KilledUnderLoad_LosesNothingAcknowledgedAndServesNothingWrong()
    {
        using TemporaryDirectory directory = new();
        StringWriter log = new();

        CrashReport report = await new CrashHarness(directory.Path, seed: 1).RunAsync(rounds: 10, log);

        output.WriteLine(log.ToString());
        Assert.True(report.Acknowledged > 50, $"only {report.Acknowledged} acknowledgements");
        Assert.True(report.Evicted > 0 && report.Pinned > 0, report.ToString());
        Assert.True(report.Failures == 0, report.ToString());
    }
}
