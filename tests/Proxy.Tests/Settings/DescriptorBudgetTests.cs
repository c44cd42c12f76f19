using Breakwater.Proxy.Settings;

namespace Breakwater.Proxy.Tests.Settings;

public sealed class DescriptorBudgetTests
{
    /// <summary>
    /// 512 are for the process itself and two for each fetch; a sixteenth of the rest, 16 to 1,024, is for what is passed through.
    /// </summary>
    [Theory]
    [InlineData(50_000, 128, 500, 10_000, 8187, 545)]
    [InlineData(8187, 128, 500, 10_000, 8187, 545)]
    [InlineData(8186, 128, 500, 10_000, 8186, 545)]
    [InlineData(50_000, 10, 0, 788, 240, 16)]
    [InlineData(50_000, 10, 0, 804, 255, 17)]
    [InlineData(50_000, 10, 20, 632, 64, 16)]
    [InlineData(50_000, 10, 20, 633, 65, 16)]
    [InlineData(50_000, 10, 0, 0, 64, 16)]
    [InlineData(10, 10, 0, 0, 10, 16)]
    [InlineData(50_000, 0, 0, 16_896, 15_360, 1024)]
    [InlineData(50_000, 0, 0, 16_880, 15_345, 1023)]
    [InlineData(50_000, 0, 0, 40_000, 38_464, 1024)]
    public void Connections_OfALimit_AreWhatTheRestLeaves(int wanted, int fetches, int files, int limit, int connections, int passedThrough)
    {
        Assert.Equal(connections, DescriptorBudget.Connections(wanted, fetches, files, limit));
        Assert.Equal(passedThrough, DescriptorBudget.PassedThrough(fetches, files, limit));
    }

    [Fact]
    public void Connections_WithoutAKnownLimit_AreAllThatAreWanted()
    {
        Assert.Equal(50_000, DescriptorBudget.Connections(50_000, 128, 500, null));
        Assert.Equal(1024, DescriptorBudget.PassedThrough(128, 500, null));
        DescriptorBudget.ThrowIfShort(128, 500, null);
    }

    [Fact]
    public void ThrowIfShort_Limit_IsEnoughForAHandfulOfClients()
    {
        DescriptorBudget.ThrowIfShort(10, 5, 601);

        IOException e = Assert.Throws<IOException>(() => DescriptorBudget.ThrowIfShort(10, 5, 600));
        Assert.Contains("600 files and needs 601 ", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Limit_OfThisProcess_IsWhatTheKernelSays() =>
        Assert.Equal(File.ReadAllLines("/proc/self/limits").Single(line => line.StartsWith("Max open files", StringComparison.Ordinal))
            .Split(' ', StringSplitOptions.RemoveEmptyEntries)[3], $"{DescriptorBudget.Limit()}");
}
