using Breakwater.Proxy.FunctionalTests.Faults;
using Xunit.Abstractions;

[assembly: TestCollectionOrderer("Breakwater.Proxy.FunctionalTests.TestSupport.LongestFirst", "Breakwater.Proxy.FunctionalTests")]

namespace Breakwater.Proxy.FunctionalTests.TestSupport;

/// <summary>
/// Collections that take long begin first: one that begins last is waited for alone. The tests of a collection follow each other, those of
/// different collections (a class is one, where it names none) go beside each other, see <c>xunit.runner.json</c>.
/// </summary>
public sealed class LongestFirst : ITestCollectionOrderer
{
    /// <summary>Those that take more than half a minute on two cores, the longest first.</summary>
    private static readonly string[] s_long =
    [
        ServeProcess.OneAtATime, "PageTests", "DemoTests", "LyingUpstreamTests", "MasterKeyTests", "AwkwardUpstreamTests",
        "PromisedLengthTests", "SlowReaderTests", "ColdObjectTests", "HostileBundleTests", "KillTests", "OfflineLabTests", "TopTests",
    ];

    /// <inheritdoc/>
    public IEnumerable<ITestCollection> OrderTestCollections(IEnumerable<ITestCollection> testCollections) =>
        testCollections.OrderBy(collection => Place(collection.DisplayName)).ThenBy(collection => collection.DisplayName,
            StringComparer.Ordinal);

    private static int Place(string name)
    {
        int at = Array.FindIndex(s_long, one =>
            name == one || Array.Exists(name.Split(' '), word => word.EndsWith("." + one, StringComparison.Ordinal)));
        return at < 0 ? s_long.Length : at;
    }
}
