using Breakwater.CacheStore;
using Breakwater.Proxy.Admin;
using Breakwater.Proxy.Observability;

namespace Breakwater.Proxy.Tests.Admin;

public sealed class StoreHealthTests
{
    [Fact]
    public void Find_OfAStoreThatTakesWrites_IsNothing() => Assert.Empty(new StoreHealth(() => new StoreStatistics(), () => null).Find());

    [Fact]
    public void Find_OfADiskThatRefuses_DegradesAndSaysWhy()
    {
        HealthFinding finding =
            Assert.Single(new StoreHealth(() => new StoreStatistics { WriteFailure = "No space left." }, () => null).Find());

        Assert.Equal(("store-read-only", HealthLevel.Degraded), (finding.Name, finding.Level));
        Assert.Contains("No space left.", finding.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Find_OfAStoreThatIsGone_TakesNoClientsAndAsksNothingMoreOfIt()
    {
        HealthFinding finding = Assert.Single(new StoreHealth(() => throw new IOException(), () => "It is gone.").Find());

        Assert.Equal(("store-missing", HealthLevel.Unready), (finding.Name, finding.Level));
        Assert.StartsWith("It is gone. ", finding.Text, StringComparison.Ordinal);
    }
}
