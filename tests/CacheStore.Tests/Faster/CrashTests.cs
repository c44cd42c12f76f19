using Breakwater.StoreCrash;
using Xunit.Abstractions;

namespace Breakwater.CacheStore.Tests.Faster;

public sealed class CrashTests(ITestOutputHelper output)
{
    [Fact]
    public async Task Store_KilledUnderLoad_LosesNothingAcknowledgedAndServesNothingWrong()
    {
        using TemporaryDirectory directory = new();
        StringWriter log = new();

        CrashReport report = await new CrashHarness(directory.Path, seed: 1).RunAsync(rounds: 5, log);

        output.WriteLine(log.ToString());
        Assert.True(report.Acknowledged > 50, $"only {report.Acknowledged} acknowledgements");
        Assert.Equal(0, report.Lost);
        Assert.Equal(0, report.Wrong);
        Assert.Equal(0, report.WrongDocuments);
        Assert.Equal(0, report.Forbidden);
    }
}
